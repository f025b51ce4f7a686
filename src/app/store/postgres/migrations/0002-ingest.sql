-- oldest-replica: 1
-- Storing a batch, in one round trip. Functions carry a version in their names: a replica calls
-- those it was written for, also beside a newer schema, so they are never changed, only added and,
-- a version later, dropped.

-- Advisory locks: whoever stores holds `storing` shared; what has to see every message of a
-- person, or every edit of a message, holds it alone. Keys are this service's own.
create function storing_lock_1() returns bigint immutable parallel safe language sql
  return 22341::bigint << 48;
-- Each transaction that takes numbers holds this key plus the last number before its own.
create function numbering_lock_1(seq bigint) returns bigint immutable parallel safe language sql
  return (22342::bigint << 48) + seq;

-- The last number that was given.
create function last_given_seq_1() returns bigint volatile language sql as
  'select case when is_called then last_value else last_value - 1 end from event_seq';

-- Up to here no number can appear any more: every transaction that took one has ended. The last
-- number given is read first, so whoever is not seen among the locks takes higher ones.
create function settled_seq_1() returns bigint volatile language plpgsql as $$
declare
  given bigint := last_given_seq_1();
  held bigint;
begin
  select min((classid::bigint << 32 | objid::bigint) - numbering_lock_1(0)) into held
  from pg_locks
  where locktype = 'advisory' and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32 | objid::bigint)
      between numbering_lock_1(0) and numbering_lock_1(281474976710655);
  return least(given, held);
end $$;

create type incoming_event_1 as (
  ord integer,
  intake integer,
  kind text,
  type text,
  message_id text,
  namespace text,
  direction text,
  sender text,
  recipient text,
  phone_number_id text,
  ts text,
  instant text,
  text text,
  folded text,
  content text,
  reaction_to text,
  key text,
  participant text,
  data text,
  phone text,
  user_id text,
  parent_user_id text,
  username text,
  name text,
  formerly json
);

-- What the events of one batch share. Arrays are numbered like its intakes and events, from 1.
create type arrival_1 as (
  providers text[],
  received_at bigint[],
  intakes bigint[],
  seqs bigint[]
);

-- What became of an event: created, duplicate, or differs from the message of `intake`.
create type outcome_1 as (ord integer, kind text, intake bigint);

create function newest_1(given text, known text, is_newer boolean) returns text immutable
  parallel safe language sql
  return case when known is null or (is_newer and given is not null) then given else known end;

-- What happens to a row when a payload says something of its person. Equal rows: nothing.
create function updated_contact_1(
  known contacts, phone text, user_id text, parent_user_id text, username text, name text,
  instant text
) returns contacts immutable language plpgsql as $$
declare
  moved boolean := instant >= known.address_instant;
  has_profile boolean := username is not null or name is not null;
  renamed boolean := has_profile and instant >= known.profile_instant;
  latest contacts := known;
  confirmed boolean;
begin
  latest.user_id := newest_1(user_id, known.user_id, moved);
  latest.phone := newest_1(phone, known.phone, moved);
  latest.key := coalesce(latest.user_id, latest.phone, known.key);
  latest.parent_user_id := newest_1(parent_user_id, known.parent_user_id, moved);
  latest.username := newest_1(username, known.username, renamed);
  latest.name := newest_1(name, known.name, renamed);
  -- That something was still so later on decides against what comes late. Who has no id has one
  -- number.
  confirmed := (renamed and instant > known.profile_instant)
    or (moved and instant > known.address_instant and latest.user_id is not null and phone is not null);
  if latest is not distinct from known and not confirmed then return known; end if;
  if moved then latest.address_instant := instant; end if;
  if renamed then latest.profile_instant := instant; end if;
  return latest;
end $$;

create function set_address_1(address text, contact bigint) returns void language plpgsql as $$
begin
  insert into contact_addresses as known values ($1, $2)
  on conflict on constraint contact_addresses_pkey do update set contact = excluded.contact
    where known.contact <> excluded.contact;
end $$;

create function bring_up_to_date_1(
  known contacts, phone text, user_id text, parent_user_id text, username text, name text,
  instant text
) returns void language plpgsql as $$
#variable_conflict use_variable
declare
  latest contacts := updated_contact_1(known, phone, user_id, parent_user_id, username, name, instant);
begin
  if user_id is distinct from known.user_id or phone is distinct from known.phone then
    if user_id is not null then perform set_address_1(user_id, known.id); end if;
    if phone is not null then perform set_address_1(phone, known.id); end if;
  end if;
  if latest is not distinct from known then return; end if;
  update contacts as c set key = latest.key, phone = latest.phone, user_id = latest.user_id,
    parent_user_id = latest.parent_user_id, username = latest.username, name = latest.name,
    address_instant = latest.address_instant, profile_instant = latest.profile_instant
  where c.id = known.id;
end $$;

create function locked_contact_1(address text) returns contacts language plpgsql as $$
declare
  known contacts;
begin
  select c.* into known from contacts c
  where c.id = (select a.contact from contact_addresses a where a.address = $1)
  for no key update;
  return known;
end $$;

-- Raised where a batch needs to be alone: it is rolled back and sent again.
create function require_alone_1(alone boolean) returns void language plpgsql as $$
begin
  if not alone then
    raise exception 'This batch changes what others may be changing.' using errcode = 'WW001';
  end if;
end $$;

-- Everything of one person becomes that of another, who also takes over a profile that is newer.
create function merge_contacts_1(source bigint, target bigint) returns void language plpgsql as $$
declare
  former contacts;
  known contacts;
begin
  select * into former from contacts where id = source;
  update messages set contact = target where contact = source;
  update events set contact = target where contact = source;
  update contact_addresses set contact = target where contact = source;
  update activity_changes set contact = target where contact = source;
  insert into activity as stored (contact, messages, last_instant)
    select target, messages, last_instant from activity where contact = source
    on conflict (contact) do update set messages = stored.messages + excluded.messages,
      last_instant = greatest(stored.last_instant, excluded.last_instant);
  delete from activity where contact = source;
  delete from contacts where id = source;
  select * into known from contacts where id = target;
  perform bring_up_to_date_1(known, null, null, null, former.username, former.name,
    former.profile_instant);
end $$;

create function create_contact_1(
  phone text, user_id text, parent_user_id text, username text, name text, instant text
) returns bigint language plpgsql as $$
#variable_conflict use_variable
declare
  new_id bigint := nextval('contact_ids');
  given text[] := array_remove(array[user_id, phone], null);
  taken integer;
begin
  -- Addresses first: two transactions that create one person meet here, and the second waits.
  insert into contact_addresses (address, contact)
    select distinct address, new_id from unnest(given) as g(address) order by address
    on conflict (address) do nothing;
  get diagnostics taken = row_count;
  if taken < (select count(distinct address) from unnest(given) as g(address)) then
    delete from contact_addresses as a where a.contact = new_id;
    return null;
  end if;
  insert into contacts values (new_id, coalesce(user_id, phone), phone, user_id, parent_user_id,
    username, name, instant,
    case when username is null and name is null then '' else instant end);
  return new_id;
end $$;

-- The contact an identity means, created or brought up to date; null where it has no address.
create function resolve_contact_1(
  phone text, user_id text, parent_user_id text, username text, name text, instant text,
  alone boolean
) returns bigint language plpgsql as $$
#variable_conflict use_variable
declare
  by_user contacts;
  by_phone contacts;
  known contacts;
  created bigint;
begin
  if coalesce(phone, user_id) is null then return null; end if;
  loop
    by_user := null;
    by_phone := null;
    if user_id is not null then by_user := locked_contact_1(user_id); end if;
    if phone is not null then by_phone := locked_contact_1(phone); end if;
    known := by_user;
    -- A number that now belongs to another business-scoped id has been given to somebody else.
    if known.id is null and (
      user_id is null or by_phone.user_id is null or by_phone.user_id = user_id
    ) then known := by_phone; end if;
    if known.id is null then
      -- A number of somebody else changes hands under the eyes of nobody else.
      if by_phone.id is not null then
        perform require_alone_1(alone);
        delete from contact_addresses as a where a.address = phone;
      end if;
      created := create_contact_1(phone, user_id, parent_user_id, username, name, instant);
      if created is not null then return created; end if;
    else
      if by_phone.id is not null and by_phone.id <> known.id and by_phone.user_id is null then
        perform require_alone_1(alone);
        perform merge_contacts_1(by_phone.id, known.id);
        select * into known from contacts as c where c.id = known.id;
      end if;
      perform bring_up_to_date_1(known, phone, user_id, parent_user_id, username, name, instant);
      return known.id;
    end if;
  end loop;
end $$;

-- One payload says that `former` is the same person as `e`.
create function link_contacts_1(e incoming_event_1, former json) returns void language plpgsql as $$
declare
  source bigint := resolve_contact_1(former->>'phone', former->>'userId', former->>'parentUserId',
    former->>'username', former->>'name', e.instant, true);
  target bigint := resolve_contact_1(e.phone, e.user_id, e.parent_user_id, e.username, e.name,
    e.instant, true);
begin
  if source <> target then perform merge_contacts_1(source, target); end if;
end $$;

-- Of each event its contact, where that is known and what the event says of it changes nothing.
create function known_contacts_1(events incoming_event_1[]) returns bigint[]
language plpgsql as $$
begin
  return (
    select array_agg(c.id order by i.ordinality)
    from unnest(events) with ordinality as i
    left join contact_addresses a on a.address = coalesce(i.phone, i.user_id)
    left join contacts c on c.id = a.contact
      and (i.phone is null or c.phone = i.phone)
      and (i.user_id is null or c.user_id = i.user_id)
      and (i.parent_user_id is null or c.parent_user_id = i.parent_user_id)
      and (i.username is null or c.username = i.username)
      and (i.name is null or c.name = i.name)
      and (i.username is null and i.name is null or i.instant <= c.profile_instant)
      and (c.user_id is null or i.phone is null or i.instant <= c.address_instant));
end $$;

-- Creates the people of events that name one address each, which nobody was seen under yet. In the
-- order of addresses, as in every transaction: so none waits for another in a circle.
create function create_contacts_1(events incoming_event_1[]) returns void language plpgsql as $$
begin
  with new as (
    select distinct on (coalesce(i.phone, i.user_id)) coalesce(i.phone, i.user_id) as address, i.*
    from unnest(events) as i
    where (i.phone is null) <> (i.user_id is null) and not exists (
      select 1 from contact_addresses a where a.address = coalesce(i.phone, i.user_id))
    order by coalesce(i.phone, i.user_id), i.ord
  ), taken as (
    insert into contact_addresses (address, contact)
      select address, nextval('contact_ids') from new order by address
      on conflict (address) do nothing
      returning address, contact
  )
  insert into contacts
    select contact, address, phone, user_id, parent_user_id, username, name, instant,
      case when username is null and name is null then '' else instant end
    from taken join new using (address);
end $$;

-- Of each event its contact. Who is known and unchanged, or wholly new, is dealt with all at once.
create function resolve_contacts_1(events incoming_event_1[], alone boolean) returns bigint[]
language plpgsql as $$
declare
  found bigint[];
  e incoming_event_1;
  at integer;
begin
  if alone and events[1].formerly is not null then
    perform link_contacts_1(events[1], events[1].formerly);
  end if;
  found := known_contacts_1(events);
  if array_position(found, null) is null then return found; end if;
  perform create_contacts_1(events);
  found := known_contacts_1(events);
  if array_position(found, null) is null then return found; end if;
  for at in
    select n from unnest(found) with ordinality as f(id, n)
    where id is null and coalesce(events[n].phone, events[n].user_id) is not null
    order by coalesce(events[n].phone, events[n].user_id), n
  loop
    e := events[at];
    found[at] := resolve_contact_1(e.phone, e.user_id, e.parent_user_id, e.username, e.name,
      e.instant, alone);
  end loop;
  return found;
end $$;

-- Gives a message the text of its latest edit; a revoked one has none.
create function apply_edits_1(changed text) returns void language plpgsql as $$
declare
  edit record;
begin
  select kind, text, folded into edit
  from events where message_id = changed and kind in ('edit', 'revoke')
  order by kind desc, instant desc, key desc limit 1;
  if not found then return; end if;
  update messages set
    edited = case edit.kind when 'revoke' then 2 else 1 end,
    original_text = case edited when 0 then text else original_text end,
    text = case edit.kind when 'revoke' then null else edit.text end,
    folded = case edit.kind when 'revoke' then null else edit.folded end
  where message_id = changed;
end $$;

-- That a placeholder got its content is an event too: whoever follows the sequence learns of it.
create function filling_event_1(e incoming_event_1) returns incoming_event_1 language plpgsql as $$
declare
  filling incoming_event_1 := e;
begin
  filling.kind := 'history';
  filling.type := 'history:content';
  filling.key := '[' || to_json(e.message_id) || ',' || to_json(e.namespace) || ']';
  filling.data := '{"message_id":' || to_json(e.message_id) || ',"type":' || to_json(e.type)
    || ',"text":' || coalesce(to_json(e.text)::text, 'null')
    || ',"content":' || coalesce(e.content, 'null') || '}';
  filling.text := null;
  filling.folded := null;
  return filling;
end $$;

create function fill_placeholder_1(e incoming_event_1) returns void language plpgsql as $$
begin
  update messages as m set type = e.type, text = e.text, folded = e.folded, content = e.content,
    reaction_to = e.reaction_to
  where m.message_id = e.message_id and m.namespace = e.namespace;
  insert into count_changes values ('type', 'media_placeholder', -1), ('type', e.type, 1);
  perform apply_edits_1(e.message_id);
end $$;

-- Stores what is no message; returns the places (ord) of those that were new.
create function store_others_1(events incoming_event_1[], contacts bigint[], arrival arrival_1)
returns integer[] language plpgsql as $$
declare
  created integer[];
begin
  with inserted as (
    insert into events as stored (seq, kind, type, key, provider, intake, message_id, participant,
      contact, phone_number_id, ts, instant, text, folded, data, received_at)
    select arrival.seqs[e.ord], e.kind, e.type, e.key, arrival.providers[e.intake],
      arrival.intakes[e.intake], e.message_id, e.participant, contacts[e.ordinality],
      e.phone_number_id, e.ts, e.instant, e.text, e.folded, e.data,
      arrival.received_at[e.intake]
    from unnest(events) with ordinality as e where e.kind <> 'message'
    order by e.key, e.kind, e.ord
    on conflict (key, kind) where key is not null do nothing
    returning seq
  )
  select array_agg(e.ord) into created
  from inserted join unnest(events) as e on arrival.seqs[e.ord] = inserted.seq;
  insert into count_changes
    select 'kind', e.kind, count(*) from unnest(events) as e
    where e.ord = any (created) and e.kind <> 'message' group by e.kind;
  return coalesce(created, '{}');
end $$;

-- The status that counts, as computed from all of them: see model/status.ts.
create function current_status_1(message text) returns text stable language sql as $$
  with history as (
    select type as status, instant from events
    where events.message_id = $1 and kind = 'status'
  ), seen as (
    select
      bool_or(status = 'deleted') as deleted,
      bool_or(status = 'failed') as failed,
      max(array_position(array['sent', 'delivered', 'read', 'played'], status)) as furthest,
      max(instant) filter (where status = 'delivered') as delivered_at,
      max(instant) filter (where status = 'failed') as failed_at
    from history
  )
  select case
    when deleted then 'deleted'
    when failed and not coalesce(furthest > 2 or furthest = 2 and delivered_at > failed_at, false)
      then 'failed'
    else coalesce(
      (array['sent', 'delivered', 'read', 'played'])[furthest],
      (select status from history order by instant desc, status desc limit 1)
    )
  end from seen
$$;

-- Of a status that is repeated with another time, the earliest one counts. Returns the messages.
create function make_earlier_1(events incoming_event_1[]) returns text[] language sql as $$
  with earliest as (
    select distinct on (e.key) e.key, e.ts, e.instant from unnest(events) as e
    where e.kind = 'status' order by e.key, e.instant, e.ord
  ), changed as (
    update events set ts = earliest.ts, instant = earliest.instant from earliest
    where events.kind = 'status' and events.key = earliest.key
      and events.instant > earliest.instant
    returning events.message_id
  )
  select array_agg(message_id) from changed
$$;

create function update_states_1(events incoming_event_1[], created integer[]) returns void
language plpgsql as $$
declare
  affected text[] := make_earlier_1(events);
begin
  select array_agg(distinct id) into affected from (
    select unnest(affected) union all
    select e.message_id from unnest(events) as e where e.kind = 'status' and e.ord = any (created)
  ) as a(id);
  if affected is null then return; end if;
  -- Locked before the history is read: whoever else stores a status of one of them waits here.
  insert into message_states as known
    select id, '' from unnest(affected) as a(id) order by id
    on conflict (message_id) do update set status = known.status;
  with latest as (
    select id, current_status_1(id) as status from unnest(affected) as a(id)
  ), before as (
    select message_id, status from message_states where message_id = any (affected)
  ), changed as (
    update message_states as s set status = latest.status
    from latest join before on before.message_id = latest.id
    where s.message_id = latest.id and s.status <> latest.status
    returning latest.status as now, before.status as before
  )
  insert into count_changes
    select 'status', status, sum(change) from (
      select now, 1 from changed union all select before, -1 from changed where before <> ''
    ) as c(status, change) group by status;
end $$;

-- Stores messages; returns the places (ord) of those that were new.
create function store_messages_1(events incoming_event_1[], contacts bigint[], arrival arrival_1)
returns integer[] language plpgsql as $$
declare
  created integer[];
begin
  with inserted as (
    insert into messages (seq, message_id, namespace, provider, intake, type, direction, sender,
      recipient, contact, phone_number_id, ts, instant, text, folded, content, reaction_to,
      received_at)
    select arrival.seqs[e.ord], e.message_id, e.namespace, arrival.providers[e.intake],
      arrival.intakes[e.intake], e.type, e.direction, e.sender, e.recipient,
      contacts[e.ordinality], e.phone_number_id, e.ts, e.instant, e.text, e.folded, e.content,
      e.reaction_to, arrival.received_at[e.intake]
    from unnest(events) with ordinality as e where e.kind = 'message'
    -- In the order of ids, as in every transaction: so none waits for another in a circle.
    order by e.message_id, e.namespace, e.ord
    on conflict (message_id, namespace) do nothing
    returning seq
  ), new as (
    select e.ord, e.type, e.instant, e.sender, contacts[e.ordinality] as contact
    from inserted
    join unnest(events) with ordinality as e on arrival.seqs[e.ord] = inserted.seq
  ), counted as (
    insert into count_changes
    select counter, key, count(*) from new cross join lateral (values
      ('kind', 'message'), ('type', new.type), ('day', left(new.instant, 10)),
      ('sender', new.sender)
    ) as c(counter, key) group by counter, key
  ), active as (
    insert into activity_changes
    select contact, count(*), max(instant) from new where contact is not null group by contact
  )
  select array_agg(ord) into created from new;
  return coalesce(created, '{}');
end $$;

-- What became of the messages of a run that were not new, each compared with what is stored.
create function judge_copies_1(events incoming_event_1[], created integer[]) returns outcome_1[]
language sql as $$
  select array_agg(row(e.ord,
    case when m.sender = e.sender and m.recipient = e.recipient and m.ts = e.ts
      and case m.edited when 0 then m.text else m.original_text end is not distinct from e.text
    then 'duplicate' else 'conflict' end, m.intake)::outcome_1)
  from unnest(events) as e
  join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
  where e.kind = 'message' and e.ord <> all (created)
$$;

create function are_placeholders_filled_1(events incoming_event_1[], created integer[])
returns boolean language sql as $$
  select exists (
    select 1 from unnest(events) as e
    join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
    where e.kind = 'message' and e.ord <> all (created) and m.type = 'media_placeholder'
      and e.type <> 'media_placeholder')
$$;

-- Edits and revocations that came before the messages they are of.
create function apply_earlier_edits_1(events incoming_event_1[], created integer[]) returns void
language plpgsql as $$
declare
  edited text;
begin
  for edited in
    select distinct e.message_id from unnest(events) as e
    join events as stored on stored.message_id = e.message_id
      and stored.kind in ('edit', 'revoke')
    where e.kind = 'message' and e.ord = any (created)
  loop
    perform apply_edits_1(edited);
  end loop;
end $$;

-- Stores events that may go together: any number of them, or, alone, one that changes others.
-- Returns what became of each that was not created.
create function store_run_1(events incoming_event_1[], arrival arrival_1, alone boolean)
returns outcome_1[] language plpgsql as $$
declare
  contacts bigint[] := resolve_contacts_1(events, alone);
  messages integer[] := '{}';
  others integer[] := '{}';
  copies outcome_1[] := '{}';
  has_messages boolean := (select bool_or(kind = 'message') from unnest(events));
  has_others boolean := (select bool_or(kind <> 'message') from unnest(events));
begin
  if has_messages then
    messages := store_messages_1(events, contacts, arrival);
    if cardinality(messages) < (select count(*) from unnest(events) as e where e.kind = 'message') then
      if are_placeholders_filled_1(events, messages) then
        perform require_alone_1(alone);
        perform fill_placeholder_1(events[1]);
        return store_run_1(array[filling_event_1(events[1])], arrival, alone);
      end if;
      copies := judge_copies_1(events, messages);
    end if;
    perform apply_earlier_edits_1(events, messages);
  end if;
  if has_others then
    others := store_others_1(events, contacts, arrival);
    perform update_states_1(events, others);
    if events[1].kind in ('edit', 'revoke') then
      perform require_alone_1(alone);
      perform apply_edits_1(events[1].message_id);
    end if;
    copies := copies || array(
      select row(e.ord, 'duplicate', null)::outcome_1 from unnest(events) as e
      where e.kind <> 'message' and e.ord <> all (others));
  end if;
  return copies;
end $$;

-- The lock that tells readers not to pass over the numbers this transaction takes, then they.
create function take_seqs_1(count integer) returns bigint[] language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(numbering_lock_1(last_given_seq_1()));
  return array(select nextval('event_seq') from generate_series(1, count));
end $$;

-- What became of each event that was not created, in the form the caller gives on.
create function described_outcomes_1(copies outcome_1[]) returns json language plpgsql as $$
begin
  if cardinality(copies) = 0 then return '[]'; end if;
  return (
    select json_agg(json_build_object('ord', o.ord, 'kind', o.kind, 'storedSha256',
      case o.kind when 'conflict' then (
        select encode(i.sha256, 'hex') from intakes i, store
        where i.id = o.intake and i.received_at >= store.expired_before) end))
    from unnest(copies) as o);
end $$;

-- Stores a batch; called as a statement of its own, so that it is a transaction of its own.
-- `token` names the batch, so that it can be sent again when nobody knows whether it was stored.
-- `runs` is a list of lists of events: see store_run; `intake_of` names the intake of each. Intakes
-- are described by arrays, their bodies lie end to end. Returns what became of each event that was not created.
create function ingest_1(
  token uuid, alone boolean, runs json, intake_of integer[],
  providers text[], received_at bigint[], headers text[], lengths integer[], bodies bytea
) returns json language plpgsql as $$
#variable_conflict use_variable
declare
  arrival arrival_1;
  run json;
  copies outcome_1[] := '{}';
  outcomes json;
begin
  insert into batches (token) values (token) on conflict do nothing;
  if not found then
    return (select b.outcomes from batches as b where b.token = token);
  end if;
  if alone then perform pg_advisory_xact_lock(storing_lock_1());
  else perform pg_advisory_xact_lock_shared(storing_lock_1());
  end if;
  arrival.providers := providers;
  arrival.received_at := received_at;
  arrival.intakes := array(select nextval('intake_ids') from unnest(providers));
  arrival.seqs := take_seqs_1(cardinality(intake_of));
  for run in select json_array_elements(runs) loop
    copies := copies || store_run_1(
      array(select e from json_populate_recordset(null::incoming_event_1, run) as e),
      arrival, alone);
  end loop;
  -- A body is kept where any of its events is new: whatever was stored just now names it.
  insert into intakes (id, provider, received_at, sha256, bytes, headers, body)
    select i.id, i.provider, i.received_at, sha256(i.body), length(i.body), i.headers, i.body
    from (
      select g.id, g.provider, g.received_at, g.headers, g.ordinality,
        substring(bodies from (g.until - g.length + 1)::integer for g.length) as body
      from (
        select u.id, u.provider, u.received_at, u.headers, u.length, u.ordinality,
          sum(u.length) over (order by u.ordinality) as until
        from unnest(arrival.intakes, providers, received_at, headers, lengths) with ordinality
          as u(id, provider, received_at, headers, length)
      ) as g
    ) as i
    where i.ordinality in (
      select intake_of[n] from generate_series(1, cardinality(intake_of)) as n
      where n not in (select o.ord from unnest(copies) as o));
  outcomes := described_outcomes_1(copies);
  update batches as b set outcomes = outcomes where b.token = token;
  return outcomes;
end $$;
