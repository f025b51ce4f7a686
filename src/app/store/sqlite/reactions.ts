// How reactions to a message are found.

/** The reactions to a message, by its id; as the index has it that finds them. */
export const IS_REACTION_TO = "type = 'reaction' and content ->> '$.reaction.message_id' = ?"
