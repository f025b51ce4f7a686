-- Two people who turn out to be one: without it, what else happened to the one was looked for among
-- all events, while nothing else was stored. Readers go by the sequence, and name no contact > 0: a
-- person may have as many events as all others together.
create index events_by_contact on events (contact) where contact > 0;
