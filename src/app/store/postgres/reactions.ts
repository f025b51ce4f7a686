// How reactions to a message are found.

/** The reactions to a message, by its id. */
export const IS_REACTION_TO = 'reaction_to = ?'
