// How much statistics list.

/** The busiest senders. */
export const TOP_SENDERS = 10
/** The latest days. */
export const DAYS = 31
/** Types, statuses and kinds, which come from outside. */
export const TYPES = 1000
