-- oldest-replica: 1
-- Two people who turn out to be one: without it, what else happened to the one was looked for among
-- all events, which takes longer than a batch may. Readers go by the sequence, and name no contact > 0:
-- a person may have as many events as all others together.
-- Storing waits while it is made, which is one pass over the table of events.
create index events_by_contact on events (contact) where contact > 0;

-- As before, by that index.
create or replace function merge_contacts_1(source bigint, target bigint) returns void
language plpgsql as $$
declare
  former contacts;
  known contacts;
begin
  select * into former from contacts where id = source;
  update messages set contact = target where contact = source;
  update events set contact = target where contact = source and contact > 0;
  update contact_addresses set contact = target where contact = source;
  update activity_changes set contact = target where contact = source;
  insert into activity as stored (contact, messages, last_instant)
    select target, messages, last_instant from activity where contact = source
    on conflict (contact) do update set messages = stored.messages + excluded.messages,
      last_instant = greatest(stored.last_instant, excluded.last_instant);
  delete from activity where contact = source;
  delete from contacts where id = source;
  select * into known from contacts where id = target;
  perform write_contact_1(known, latest_contact_1(known, former));
end $$;
