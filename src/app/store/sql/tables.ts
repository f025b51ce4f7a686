// The tables both engines keep the same rows in, for whoever copies a store. What is derived from
// them (counters, activity, search) is left out: each engine derives its own.

/** One value of a row. Bodies are bytes, unpacked. */
export type Cell = string | number | null | Uint8Array
export type Row = readonly Cell[]
export type Key = string | number

export type Table = {
  readonly name: TableName
  /** The first one is the key, by which rows are ordered; unique. */
  readonly columns: readonly string[]
  /** Of these, the columns whose values may be megabytes. */
  readonly large: readonly string[]
  /** Rows read at once at most. */
  readonly chunk: number
}

export type TableName =
  | 'intakes'
  | 'contacts'
  | 'contact_addresses'
  | 'messages'
  | 'events'
  | 'message_states'

/** What rows that are read at once hold, unless it is the last of them that is larger. Bytes. */
export const CHUNK_BYTES = 8 * 1024 * 1024

/** What a row holds, in bytes or characters. */
export function sizeOf(row: Row): number {
  const sizes = row.map((value) => (value === null || typeof value === 'number' ? 0 : value.length))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** A copy that is not complete has this at the end of its identity, and no service takes it. */
export const UNFINISHED = ':unfinished'

/** In the order in which they are copied. */
export const TABLES: readonly Table[] = [
  {
    name: 'intakes',
    columns: ['id', 'provider', 'received_at', 'sha256', 'bytes', 'headers', 'body'],
    large: ['body'],
    chunk: 50,
  },
  {
    name: 'contacts',
    columns: [
      ...['id', 'key', 'phone', 'user_id', 'parent_user_id', 'username', 'name'],
      ...['address_instant', 'user_instant', 'profile_instant', 'username_instant'],
    ],
    large: [],
    chunk: 1000,
  },
  {
    name: 'contact_addresses',
    columns: ['address', 'contact', 'held_until'],
    large: [],
    chunk: 1000,
  },
  {
    name: 'messages',
    columns: [
      ...['seq', 'message_id', 'namespace', 'provider', 'intake', 'type', 'direction', 'sender'],
      ...['recipient', 'contact', 'phone_number_id', 'ts', 'instant', 'text', 'edited'],
      ...['original_text', 'content', 'received_at'],
    ],
    large: ['text', 'original_text', 'content'],
    chunk: 1000,
  },
  {
    name: 'events',
    columns: [
      ...['seq', 'kind', 'type', 'key', 'provider', 'intake', 'message_id', 'participant'],
      ...['contact', 'phone_number_id', 'ts', 'instant', 'text', 'data', 'received_at'],
    ],
    large: ['text', 'data'],
    chunk: 1000,
  },
  { name: 'message_states', columns: ['message_id', 'status'], large: [], chunk: 1000 },
]
