-- oldest-replica: 1
-- The reactions to a message: in a group they are of anybody, so no index of people finds them.
-- Storing waits while it is made, which is one pass over the table of messages.
create index messages_by_reaction on messages (reaction_to) where reaction_to is not null;
