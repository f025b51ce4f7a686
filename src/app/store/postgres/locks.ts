// The advisory locks of this service, by keys that no other program of the database should use. The
// migrations have two of their own, from 22341 and 22342 (0002-ingest.sql).

/** Held, within its transaction, by the replica that migrates. */
export const MIGRATION_LOCK = '22340::bigint << 48'
/** Held, by its session, by whoever copies a store into the database. */
export const COPY_LOCK = '(22340::bigint << 48) + 1'
