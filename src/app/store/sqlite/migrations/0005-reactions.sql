-- The reactions to a message: in a group they are of anybody, so no index of people finds them.
create index messages_by_reaction on messages (content ->> '$.reaction.message_id')
  where type = 'reaction';
