// Which of several edits of a message counts.

/** Of the events of one message, what it says now: a revocation, else the edit that was made last. */
export const LATEST_EDIT = `kind in ('edit', 'revoke')
  order by kind desc, instant desc, key desc limit 1`
