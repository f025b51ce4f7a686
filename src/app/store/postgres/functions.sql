-- To be read, and never run: the functions that migrations/ have come to, each as it is defined last, in the
-- order in which they came, with what each migration says of it. "As before" refers to the one above.
-- Written by WRITE_SCHEMA_OBJECTS=1 node --test test/contract/postgres-schema-objects.test.ts

-- 0002: Advisory locks: whoever stores holds `storing` shared; what has to see every message of a
-- person, or every edit of a message, holds it alone. Keys are this service's own.
create function storing_lock_1() returns bigint immutable parallel safe language sql
  return 22341::bigint << 48;

-- 0002: Each transaction that takes numbers holds this key plus the last number before its own.
create function numbering_lock_1(seq bigint) returns bigint immutable parallel safe language sql
  return (22342::bigint << 48) + seq;

-- 0002: The last number that was given.
create function last_given_seq_1() returns bigint volatile language sql as
  'select case when is_called then last_value else last_value - 1 end from event_seq';

-- 0002: Up to here no number can appear any more: every transaction that took one has ended. The last
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

create function newest_1(given text, known text, is_newer boolean) returns text immutable
  parallel safe language sql
  return case when known is null or (is_newer and given is not null) then given else known end;

-- 0002: What happens to a row when a payload says something of its person. Equal rows: nothing.
-- 0009: As before: what happens to a row when a payload says something of its person.
create function updated_contact_1(
  known contacts, phone text, user_id text, parent_user_id text, username text, name text,
  instant text
) returns contacts immutable language plpgsql as $$
begin
  return latest_contact_1(known,
    said_contact_1(phone, user_id, parent_user_id, username, name, instant));
end $$;

-- 0009: As before. Whoever takes it is not asked who had it until when.
create function set_address_1(address text, contact bigint) returns void
language plpgsql as $$
begin
  insert into contact_addresses as known values ($1, $2)
  on conflict on constraint contact_addresses_pkey do update
    set contact = excluded.contact, held_until = null
    where known.contact <> excluded.contact;
end $$;

-- 0009: As before, with a moment for each part.
create function bring_up_to_date_1(
  known contacts, phone text, user_id text, parent_user_id text, username text, name text,
  instant text
) returns void language plpgsql as $$
#variable_conflict use_variable
begin
  if user_id is distinct from known.user_id or phone is distinct from known.phone then
    if user_id is not null then perform set_address_1(user_id, known.id); end if;
    if phone is not null then perform set_address_1(phone, known.id); end if;
    if user_id is not null and phone is not null then
      update contact_addresses as a set held_until = null
      where a.address = phone and a.held_until is not null;
    end if;
  end if;
  perform write_contact_1(known,
    updated_contact_1(known, phone, user_id, parent_user_id, username, name, instant));
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

-- 0002: Raised where a batch needs to be alone: it is rolled back and sent again.
create function require_alone_1(alone boolean) returns void language plpgsql as $$
begin
  if not alone then
    raise exception 'This batch changes what others may be changing.' using errcode = 'WW001';
  end if;
end $$;

-- 0002: Everything of one person becomes that of another, who also takes over a profile that is newer.
-- 0009: As before; of each thing that is known of both, the newer one counts.
create function merge_contacts_1(source bigint, target bigint) returns void
language plpgsql as $$
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
  perform write_contact_1(known, latest_contact_1(known, former));
end $$;

-- 0009: As before, with a moment for each part.
create function create_contact_1(
  phone text, user_id text, parent_user_id text, username text, name text, instant text
) returns bigint language plpgsql as $$
#variable_conflict use_variable
declare
  new_id bigint := nextval('contact_ids');
  given text[] := array_remove(array[user_id, phone], null);
  taken integer;
  said contacts := said_contact_1(phone, user_id, parent_user_id, username, name, instant);
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
  insert into contacts (id, key, phone, user_id, parent_user_id, username, name,
      address_instant, user_instant, profile_instant, username_instant)
    values (new_id, coalesce(user_id, phone), phone, user_id, parent_user_id, username, name,
      said.address_instant, said.user_instant, said.profile_instant, said.username_instant);
  return new_id;
end $$;

-- 0002: The contact an identity means, created or brought up to date; null where it has no address.
-- 0006: As before. A number of somebody else changes hands under the eyes of nobody else, also where it
-- comes to somebody who is known already. It stays where it is when an older event names it.
-- 0009: As before. Somebody whose number was seen without an id until they left it has the id that it was
-- seen with before.
-- 0010: As before. Whose number it is since is looked at whatever is known of the person, and not where
-- both are one from now on; of two who are, either may be left.
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
  has_no_other boolean;
  was_given_since boolean;
  remaining bigint;
begin
  if coalesce(phone, user_id) is null then return null; end if;
  loop
    by_user := null;
    by_phone := null;
    if user_id is not null then by_user := locked_contact_1(user_id); end if;
    if phone is not null then by_phone := locked_contact_1(phone); end if;
    known := by_user;
    has_no_other := by_phone.user_id is null
      or by_phone.user_id <> user_id and is_held_1(phone, instant);
    -- A number that now belongs to another business-scoped id has been given to somebody else.
    if known.id is null and (user_id is null or has_no_other or by_phone.user_id = user_id)
    then known := by_phone; end if;
    was_given_since := has_no_other is not true and by_phone.id is distinct from known.id
      and by_phone.user_id is not null and by_phone.phone = phone
      and by_phone.address_instant > instant;
    if known.id is null then
      if by_phone.id is not null then
        perform require_alone_1(alone);
        delete from contact_addresses as a where a.address = phone;
      end if;
      created := create_contact_1(phone, user_id, parent_user_id, username, name, instant);
      if created is not null then
        if was_given_since then perform set_address_1(phone, by_phone.id); end if;
        return created;
      end if;
    else
      if by_phone.id is not null and by_phone.id <> known.id and has_no_other then
        perform require_alone_1(alone);
        remaining := merge_contacts_2(by_phone.id, known.id);
        select * into known from contacts as c where c.id = remaining;
      else
        if by_phone.id <> known.id
          and (phone is distinct from known.phone or user_id is distinct from known.user_id)
        then
          perform require_alone_1(alone);
        end if;
        perform take_address_1(user_id, known.id, by_user.id);
        perform take_address_1(phone, known.id, by_phone.id);
      end if;
      perform bring_up_to_date_1(known, phone, user_id, parent_user_id, username, name, instant);
      if was_given_since then perform set_address_1(phone, by_phone.id); end if;
      return known.id;
    end if;
  end loop;
end $$;

-- 0002: One payload says that `former` is the same person as `e`.
-- 0009: As before. Who they were comes first; who they are is then as this event says, if none is newer:
-- without an id, that is not known any more.
-- 0010: As before; who is left may be either of two.
create function link_contacts_1(e incoming_event_1, former json) returns void
language plpgsql as $$
declare
  source bigint := resolve_contact_1(former->>'phone', former->>'userId', former->>'parentUserId',
    former->>'username', former->>'name', e.instant, true);
  before contacts;
  target bigint;
  known contacts;
  said contacts;
begin
  select * into before from contacts where id = source;
  target := resolve_contact_1(e.phone, e.user_id, e.parent_user_id, e.username, e.name,
    e.instant, true);
  if source is null or target is null then return; end if;
  if source <> target and exists (select 1 from contacts where id = source) then
    target := merge_contacts_2(source, target);
    if before.user_id is null and former->>'phone' is distinct from e.phone then
      update contact_addresses set held_until = e.instant
      where address = former->>'phone' and contact = target;
    end if;
  end if;
  said := said_contact_1(e.phone, e.user_id, e.parent_user_id, e.username, e.name, e.instant);
  said.user_instant := e.instant;
  select * into known from contacts where id = target;
  perform write_contact_1(known, latest_contact_1(known, said));
end $$;

-- 0002: Of each event its contact, where that is known and what the event says of it changes nothing.
-- 0009: As before. Where a moment is not known, what the event says may change something.
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
      and (i.username is null or c.username = i.username and i.instant <= c.username_instant)
      and (i.name is null or c.name = i.name and i.instant <= c.profile_instant)
      and (i.user_id is null or i.instant <= c.user_instant)
      and (i.phone is null or i.instant <= c.address_instant
        or c.user_id is null and coalesce(c.user_instant, '') = ''));
end $$;

-- 0002: Creates the people of events that name one address each, which nobody was seen under yet. In the
-- order of addresses, as in every transaction: so none waits for another in a circle.
-- 0009: As before, with a moment for each part.
create function create_contacts_1(events incoming_event_1[]) returns void
language plpgsql as $$
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
  insert into contacts (id, key, phone, user_id, parent_user_id, username, name,
      address_instant, user_instant, profile_instant, username_instant)
    select contact, address, phone, user_id, parent_user_id, username, name,
      case when phone is null then '' else instant end,
      case when user_id is null then '' else instant end,
      case when name is null then '' else instant end,
      case when username is null then '' else instant end
    from taken join new using (address);
end $$;

-- 0002: Of each event its contact. Who is known and unchanged, or wholly new, is dealt with all at once.
-- 0012: As before, and most of who is known already at once too.
create function resolve_contacts_1(events incoming_event_1[], alone boolean)
returns bigint[] language plpgsql as $$
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
  found := refresh_contacts_1(events, known_contacts_1(events));
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

-- 0002: Gives a message the text of its latest edit; a revoked one has none.
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

-- 0002: That a placeholder got its content is an event too: whoever follows the sequence learns of it.
-- 0009: As before. Of a placeholder that came last, the content is what was stored.
create function filling_event_1(e incoming_event_1) returns incoming_event_1
language plpgsql as $$
declare
  filling incoming_event_1 := e;
begin
  if e.type = 'media_placeholder' then
    select type, case edited when 0 then text else original_text end, content
    into e.type, e.text, e.content
    from messages where message_id = e.message_id and namespace = e.namespace;
  end if;
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

-- 0006: As before, and as if nobody had edited it; then come its edits.
-- 0009: As before, and gives a message of nobody to the person that the other one names.
create function fill_placeholder_1(e incoming_event_1) returns void language plpgsql as $$
declare
  -- Under an id nobody else is known; under a number, whoever it was resolved to.
  person bigint := (
    select contact from contact_addresses where address = coalesce(e.user_id, e.phone));
begin
  with given as (
    update messages as m set contact = person,
      recipient = case m.recipient when '' then e.recipient else m.recipient end
    where m.message_id = e.message_id and m.namespace = e.namespace
      and m.contact is null and person is not null
    returning m.instant
  )
  insert into activity_changes select person, 1, instant from given;
  if e.type = 'media_placeholder' then return; end if;
  update messages as m set type = e.type, text = e.text, folded = e.folded, content = e.content,
    reaction_to = e.reaction_to, edited = 0, original_text = null
  where m.message_id = e.message_id and m.namespace = e.namespace;
  insert into count_changes values ('type', 'media_placeholder', -1), ('type', e.type, 1);
  perform apply_edits_1(e.message_id);
end $$;

-- 0002: Stores what is no message; returns the places (ord) of those that were new.
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

-- 0002: The status that counts, as computed from all of them: see model/status.ts.
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

-- 0002: Of a status that is repeated with another time, the earliest one counts. Returns the messages.
-- 0009: As before, and all that the earliest one says.
create function make_earlier_1(events incoming_event_1[]) returns text[] language sql as $$
  with earliest as (
    select distinct on (e.key) e.* from unnest(events) as e
    where e.kind = 'status' order by e.key, e.instant, e.ord
  ), changed as (
    update events set ts = e.ts, instant = e.instant, phone_number_id = e.phone_number_id,
      data = e.data,
      contact = (select contact from contact_addresses where address = coalesce(e.user_id, e.phone))
    from earliest as e
    where events.kind = 'status' and events.key = e.key and events.instant > e.instant
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

-- 0002: Stores messages; returns the places (ord) of those that were new.
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

-- 0002: What became of the messages of a run that were not new, each compared with what is stored.
-- 0011: As before. A placeholder says nothing of the text: behind its content it is a copy as well.
create function judge_copies_1(events incoming_event_1[], created integer[])
returns outcome_1[] language sql as $$
  select array_agg(row(e.ord,
    case when m.sender = e.sender and m.recipient = e.recipient and m.ts = e.ts
      and (e.type = 'media_placeholder'
        or case m.edited when 0 then m.text else m.original_text end is not distinct from e.text)
    then 'duplicate' else 'conflict' end, m.intake)::outcome_1)
  from unnest(events) as e
  join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
  where e.kind = 'message' and e.ord <> all (created)
$$;

-- 0009: As before, and whether a message of nobody is somebody's, as only the placeholder for it says.
create function are_placeholders_filled_1(events incoming_event_1[], created integer[])
returns boolean language sql as $$
  select exists (
    select 1 from unnest(events) as e
    join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
    where e.kind = 'message' and e.ord <> all (created) and (
      m.type = 'media_placeholder' and e.type <> 'media_placeholder'
      or m.type <> 'media_placeholder' and e.type = 'media_placeholder'
        and m.contact is null and coalesce(e.phone, e.user_id) is not null))
$$;

-- 0002: Edits and revocations that came before the messages they are of.
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

-- 0002: Stores events that may go together: any number of them, or, alone, one that changes others.
-- Returns what became of each that was not created.
-- 0006: As before; a batch that is alone for the sake of one event is sent again, with each event alone,
-- where one of several others turns out to change something too.
create function store_run_1(events incoming_event_1[], arrival arrival_1, alone boolean)
returns outcome_1[] language plpgsql as $$
declare
  -- What changes others would change what the events beside it were given already.
  is_alone boolean := alone and cardinality(events) = 1;
  contacts bigint[] := resolve_contacts_1(events, is_alone);
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
        perform require_alone_1(is_alone);
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
      perform require_alone_1(is_alone);
      perform apply_edits_1(events[1].message_id);
    end if;
    copies := copies || array(
      select row(e.ord, 'duplicate', null)::outcome_1 from unnest(events) as e
      where e.kind <> 'message' and e.ord <> all (others));
  end if;
  return copies;
end $$;

-- 0002: The lock that tells readers not to pass over the numbers this transaction takes, then they.
create function take_seqs_1(count integer) returns bigint[] language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(numbering_lock_1(last_given_seq_1()));
  return array(select nextval('event_seq') from generate_series(1, count));
end $$;

-- 0002: What became of each event that was not created, in the form the caller gives on.
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

-- 0002: Stores a batch; called as a statement of its own, so that it is a transaction of its own.
-- `token` names the batch, so that it can be sent again when nobody knows whether it was stored.
-- `runs` is a list of lists of events: see store_run; `intake_of` names the intake of each. Intakes
-- are described by arrays, their bodies lie end to end. Returns what became of each event that was not created.
-- 0008: As before. Every call writes: a commit that writes nothing waits for no standby.
-- 0012: As before. A message that many events edit gets its text once.
create function ingest_1(
  token uuid, alone boolean, runs json, intake_of integer[],
  providers text[], received_at bigint[], headers text[], lengths integer[], bodies bytea
) returns json language plpgsql as $$
#variable_conflict use_variable
declare
  arrival arrival_1;
  run json;
  events incoming_event_1[];
  edited text[] := '{}';
  copies outcome_1[] := '{}';
  outcomes json;
begin
  insert into batches (token) values (token) on conflict do nothing;
  if not found then
    -- Its first commit may not have waited for the standby. This one does, for both, as it writes.
    update batches as b set stored_at = now() where b.token = token
      returning b.outcomes into outcomes;
    return outcomes;
  end if;
  if alone then perform pg_advisory_xact_lock(storing_lock_1());
  else perform pg_advisory_xact_lock_shared(storing_lock_1());
  end if;
  arrival.providers := providers;
  arrival.received_at := received_at;
  arrival.intakes := array(select nextval('intake_ids') from unnest(providers));
  arrival.seqs := take_seqs_1(cardinality(intake_of));
  for run in select json_array_elements(runs) loop
    events := array(select e from json_populate_recordset(null::incoming_event_1, run) as e);
    copies := copies || store_run_2(events, arrival, alone);
    edited := edited || array(
      select e.message_id from unnest(events) as e where e.kind in ('edit', 'revoke'));
  end loop;
  perform apply_edits_1(changed) from (select distinct unnest(edited)) as e(changed);
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

create function folding_lock_1() returns bigint immutable parallel safe language sql
  return 22343::bigint << 48;

-- 0003: Adds up changes that were appended, at most so many of each kind. Returns how many; none while
-- another does so. The lock of storing keeps it apart from whoever needs to be alone.
create function fold_changes_1(most integer) returns bigint language plpgsql as $$
declare
  folded bigint;
  active bigint;
  new_senders bigint;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1()) then return 0; end if;
  perform pg_advisory_xact_lock_shared(storing_lock_1());
  with gone as (
    delete from count_changes where ctid = any (array(select ctid from count_changes limit most))
    returning counter, key, change
  ), added as (
    insert into counts as known (counter, key, count)
      select counter, key, sum(change) from gone group by counter, key
      on conflict (counter, key) do update set count = known.count + excluded.count
      returning counter, (xmax = 0) as is_new
  )
  select (select count(*) from gone), (select count(*) from added where counter = 'sender' and is_new)
    into folded, new_senders;
  if new_senders > 0 then
    insert into counts as known values ('senders', '', new_senders)
      on conflict (counter, key) do update set count = known.count + excluded.count;
  end if;
  delete from counts where counter in ('status', 'type') and count = 0;
  with gone as (
    delete from activity_changes
    where ctid = any (array(select ctid from activity_changes limit most))
    returning contact, messages, last_instant
  ), added as (
    insert into activity as known (contact, messages, last_instant)
      select contact, sum(messages), max(last_instant) from gone group by contact
      on conflict (contact) do update set messages = known.messages + excluded.messages,
        last_instant = greatest(known.last_instant, excluded.last_instant)
  )
  select count(*) into active from gone;
  return greatest(folded, active);
end $$;

-- 0003: Takes the texts that wait into the index, unless another replica does so.
create function index_texts_1() returns void language plpgsql as $$
begin
  if pg_try_advisory_xact_lock(folding_lock_1() + 2) then
    perform gin_clean_pending_list('messages_by_text'::regclass);
  end if;
end $$;

create function day_partition_1(day date) returns text immutable language sql
  return 'intakes_' || to_char(day, 'YYYYMMDD');

create function ms_at_1(day date) returns bigint immutable language sql
  return (day - date '1970-01-01')::bigint * 86400000;

-- 0003: Makes the partitions of some days, beginning with this one. Where bodies of such a day are in
-- the default partition already, they stay there. Returns how many were made.
-- 0008: As before, while none is dropped. Whoever stores or reads locks all days together, and then each, so
-- this does too. From there on nothing comes into the default partition: what is free stays so.
create function make_days_1(first date, days integer) returns integer language plpgsql as $$
declare
  made integer := 0;
  day date;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1() + 1) then return 0; end if;
  if cardinality(days_to_make_1(first, days)) = 0 then return 0; end if;
  lock table only intakes in access exclusive mode;
  foreach day in array days_to_make_1(first, days) loop
    execute format('create table %I partition of intakes for values from (%s) to (%s)',
      day_partition_1(day), ms_at_1(day), ms_at_1(day + 1));
    made := made + 1;
  end loop;
  return made;
end $$;

-- 0003: Lets bodies expire that arrived before this moment (ms since 1970): at once for every reader, and
-- from the disk by whole days. Returns how many expired now.
create function expire_intakes_1(before bigint) returns bigint language plpgsql as $$
declare
  former bigint := (select expired_before from store);
  expired bigint;
  partition text;
begin
  if before > former then
    select count(*) into expired from intakes where received_at >= former and received_at < before;
    update store set expired_before = before where expired_before < before;
  end if;
  for partition in
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'intakes'::regclass and relname ~ '^intakes_[0-9]{8}$'
      and ms_at_1(to_date(right(relname, 8), 'YYYYMMDD') + 1) <= before
  loop
    execute format('drop table if exists %I', partition);
  end loop;
  delete from intakes_default where received_at < before;
  return coalesce(expired, 0);
end $$;

-- 0003: Batches that nobody will send again.
create function forget_batches_1() returns void language sql as
  $$delete from batches where stored_at < now() - interval '1 hour'$$;

-- 0004: Takes an address that `target` was not known under. Waits for whoever else is about to, and asks
-- for another try where that was somebody the caller had not seen (`seen`): taking the address from
-- them would leave one person as two.
-- 0005: As before, without looking where there is nothing to take.
create function take_address_1(address text, target bigint, seen bigint) returns void
language plpgsql as $$
declare
  owner bigint;
begin
  -- Most often: it is known under this address already.
  if address is null or seen = target then return; end if;
  insert into contact_addresses values (address, target) on conflict do nothing;
  select a.contact into owner from contact_addresses as a where a.address = $1;
  if owner is distinct from target and owner is distinct from seen then
    raise exception 'Somebody else was seen under this address just now.' using errcode = '40001';
  end if;
end $$;

-- 0004: Lets bodies expire that arrived before this moment (ms since 1970): at once for every reader, and
-- from the disk day by day, a call each. True while there may be more. Nothing is counted, and
-- nobody waits: neither for another replica, nor for a table that is in use.
-- 0005: As before: lets bodies expire that arrived before this moment (ms since 1970), at once for every
-- reader, and from the disk day by day, a call each. True while there may be more. A day that is in
-- use is passed over without waiting: whoever stores would wait behind.
-- 0008: As before, while no day is made, and nothing that arrived within the last day: nobody keeps bodies
-- for less, so whoever asks for it has a clock that is ahead.
create function expire_intakes_2(before bigint) returns boolean language plpgsql as $$
declare
  day text;
  deleted integer;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1() + 1) then return false; end if;
  before := least(before, clock_ms_1() - 86400000);
  update store set expired_before = before where expired_before < before;
  for day in
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'intakes'::regclass and relname ~ '^intakes_[0-9]{8}$'
      and ms_at_1(to_date(right(relname, 8), 'YYYYMMDD') + 1) <= before
    order by relname
  loop
    begin
      -- Only a look, and undone: a day is locked after all days together, as its readers do.
      execute format('lock table %I in access exclusive mode nowait', day);
      raise exception using errcode = 'WW002';
    exception
      when sqlstate 'WW002' then null;
      when lock_not_available or undefined_table then continue;
    end;
    begin
      execute format('drop table if exists %I', day);
      return true;
    exception when lock_not_available then
      -- What has expired is hidden already; its day goes another time.
      return false;
    end;
  end loop;
  delete from intakes_default where ctid = any (array(
    select ctid from intakes_default where received_at < before limit 5000));
  get diagnostics deleted = row_count;
  return deleted > 0;
end $$;

-- 0008: What the server's clock says, in ms since 1970.
create function clock_ms_1() returns bigint volatile language sql
  return (extract(epoch from clock_timestamp()) * 1000)::bigint;

-- 0008: Of some days, beginning with this one, those that can have a partition: they have none yet, and none
-- of their bodies lies in the default one. A look that leaves no lock behind.
create function days_to_make_1(first date, days integer) returns date[] language plpgsql as $$
declare
  found date[];
begin
  select array_agg(day order by day) into found
  from (select first + n as day from generate_series(0, days - 1) as n) as wanted
  where to_regclass(day_partition_1(day)) is null and not exists (
    select 1 from intakes_default
    where received_at >= ms_at_1(day) and received_at < ms_at_1(day + 1));
  raise exception using errcode = 'WW002';
exception when sqlstate 'WW002' then
  return coalesce(found, '{}');
end $$;

-- 0009: A row with the moment of each part; '' where nobody has said it yet.
create function with_moments_1(known contacts) returns contacts immutable language plpgsql as $$
begin
  known.user_instant := coalesce(known.user_instant,
    case when known.user_id is null then '' else known.address_instant end);
  known.username_instant := case when known.username is null then ''
    else coalesce(known.username_instant, known.profile_instant) end;
  if known.phone is null then known.address_instant := ''; end if;
  if known.name is null then known.profile_instant := ''; end if;
  return known;
end $$;

-- 0009: What an event says of somebody, as a row.
create function said_contact_1(
  phone text, user_id text, parent_user_id text, username text, name text, instant text
) returns contacts immutable language plpgsql as $$
declare
  said contacts;
begin
  said.phone := phone;
  said.user_id := user_id;
  said.parent_user_id := parent_user_id;
  said.username := username;
  said.name := name;
  said.address_instant := instant;
  said.profile_instant := instant;
  return with_moments_1(said);
end $$;

-- 0009: A row with whatever another one knows that is newer. Equal rows: nothing.
create function latest_contact_1(known contacts, other contacts) returns contacts
immutable language plpgsql as $$
declare
  before contacts := with_moments_1(known);
  said contacts := with_moments_1(other);
  latest contacts := before;
  renamed boolean := said.user_instant <> '' and said.user_instant >= before.user_instant;
begin
  if renamed then
    latest.user_id := said.user_id;
    latest.user_instant := said.user_instant;
  end if;
  latest.parent_user_id := newest_1(said.parent_user_id, before.parent_user_id, renamed);
  -- Who never had an id has one number, and nothing is to be protected by moving its time forward.
  if said.address_instant <> '' and said.address_instant >= before.address_instant
    and (latest.user_instant <> '' or said.phone is distinct from before.phone)
  then
    latest.phone := said.phone;
    latest.address_instant := said.address_instant;
  end if;
  if said.username_instant <> '' and said.username_instant >= before.username_instant then
    latest.username := said.username;
    latest.username_instant := said.username_instant;
  end if;
  if said.profile_instant <> '' and said.profile_instant >= before.profile_instant then
    latest.name := said.name;
    latest.profile_instant := said.profile_instant;
  end if;
  latest.key := coalesce(latest.user_id, latest.phone, known.key);
  return case when latest is not distinct from before then known else latest end;
end $$;

-- 0012: As before. Under a number that is somebody else's by now they would not be found, and keep the key they had.
create function write_contact_1(known contacts, latest contacts) returns void
language plpgsql as $$
begin
  if latest is not distinct from known then return; end if;
  if latest.user_id is null and latest.key <> known.key and not exists (
    select 1 from contact_addresses as a where a.address = latest.key and a.contact = known.id)
  then latest.key := known.key; end if;
  update contacts as c set key = latest.key, phone = latest.phone, user_id = latest.user_id,
    parent_user_id = latest.parent_user_id, username = latest.username, name = latest.name,
    address_instant = latest.address_instant, user_instant = latest.user_instant,
    profile_instant = latest.profile_instant, username_instant = latest.username_instant
  where c.id = known.id;
end $$;

-- 0009: Whether a number was somebody's, without an id, until after this moment.
create function is_held_1(number text, instant text) returns boolean stable language sql as
  'select exists (select 1 from contact_addresses where address = $1 and held_until > $2)';

-- 0010: How much is stored of a person, and `most` where it is more than that.
create function size_of_contact_1(contact bigint, most bigint) returns bigint stable
language plpgsql as $$
#variable_conflict use_variable
begin
  return (select count(*) from (
    (select from messages as m where m.contact = contact limit most)
    union all (select from events as e where e.contact = contact and e.contact > 0 limit most)
    union all (select from contact_addresses as a where a.contact = contact limit most)
    limit most) as stored);
end $$;

-- 0010: Whether more is stored of one than of the other. It takes as long as there is of the one with less.
create function has_more_1(one bigint, other bigint) returns boolean stable
language plpgsql as $$
declare
  most bigint := 64;
  of_one bigint;
  of_other bigint;
begin
  loop
    of_one := size_of_contact_1(one, most);
    of_other := size_of_contact_1(other, most);
    if of_one < most or of_other < most then return of_one > of_other; end if;
    most := most * 4;
  end loop;
end $$;

-- 0010: Makes two people one, with everything of both, and of each thing that is known of both the newer one;
-- where neither is newer, what is known of `target`. What has less is what moves: who has very many messages
-- and changes their number, or changes it again and again, would take longer than a batch may. Returns who
-- is left of the two.
create function merge_contacts_2(source bigint, target bigint) returns bigint
language plpgsql as $$
declare
  former contacts;
  known contacts;
  latest contacts;
  goes bigint := source;
  stays bigint := target;
begin
  if has_more_1(source, target) then
    goes := target;
    stays := source;
  end if;
  select * into former from contacts where id = source;
  select * into known from contacts where id = target;
  update messages set contact = stays where contact = goes;
  update events set contact = stays where contact = goes and contact > 0;
  update contact_addresses set contact = stays where contact = goes;
  update activity_changes set contact = stays where contact = goes;
  insert into activity as stored (contact, messages, last_instant)
    select stays, messages, last_instant from activity where contact = goes
    on conflict (contact) do update set messages = stored.messages + excluded.messages,
      last_instant = greatest(stored.last_instant, excluded.last_instant);
  delete from activity where contact = goes;
  delete from contacts where id = goes;
  latest := latest_contact_1(known, former);
  latest.id := stays;
  perform write_contact_1(case stays when target then known else former end, latest);
  return stays;
end $$;

-- 0012: Brings people up to date of whom events say nothing that is new but a name or a later moment: the
-- same as updated_contact for each event, for all of them at once. `known` are the contacts of the
-- events that are known already; returns these and those of whom it was so. Of whom any event says
-- more, all are left for resolve_contact. People are locked in the order of their numbers, as in every
-- transaction, and those too who are left.
create function refresh_contacts_1(events incoming_event_1[], known bigint[]) returns bigint[]
language plpgsql as $$
declare
  locked bigint[];
  refreshed bigint[];
begin
  locked := array(select c.id from contacts as c where c.id = any (array(
    select a.contact from unnest(events) with ordinality as i
    join contact_addresses as a on a.address in (i.phone, i.user_id)
    where known[i.ordinality] is null)) order by c.id for no key update);
  with said as (
    select c.id, i.* from unnest(events) with ordinality as i
    join contact_addresses as a on a.address = coalesce(i.phone, i.user_id)
    -- As a set: the array would be looked through for each event.
    join (select distinct unnest(locked) as id) as l on l.id = a.contact
    join contacts as c on c.id = l.id
      and (i.phone is null or c.phone = i.phone)
      and (i.user_id is null or c.user_id = i.user_id)
      and (i.parent_user_id is null or c.parent_user_id = i.parent_user_id)
      and c.key = coalesce(c.user_id, c.phone)
      and c.user_instant is not null and c.username_instant is not null
  ), more as (
    select a.contact from unnest(events) with ordinality as i
    join contact_addresses as a on a.address in (i.phone, i.user_id)
    where known[i.ordinality] is null and i.ordinality not in (select ordinality from said)
  ), latest as (
    select id, max(instant) filter (where user_id is not null) as user_instant,
      max(instant) filter (where phone is not null) as address_instant,
      max(instant) filter (where username is not null) as username_instant,
      (array_agg(username order by instant desc, ordinality desc)
        filter (where username is not null))[1] as username,
      max(instant) filter (where name is not null) as profile_instant,
      (array_agg(name order by instant desc, ordinality desc) filter (where name is not null))[1]
        as name
    from said where id not in (select contact from more) group by id
  ), changed as (
    update contacts as c set
      user_instant = greatest(c.user_instant, l.user_instant),
      -- Who never had an id has one number: see latest_contact.
      address_instant = case when greatest(c.user_instant, l.user_instant) = ''
        then c.address_instant else greatest(c.address_instant, l.address_instant) end,
      username_instant = greatest(c.username_instant, l.username_instant),
      username = case when l.username_instant >= c.username_instant then l.username
        else c.username end,
      profile_instant = greatest(c.profile_instant, l.profile_instant),
      name = case when l.profile_instant >= c.profile_instant then l.name else c.name end
    from latest as l where l.id = c.id
  )
  select array_agg(case when one.id not in (select contact from more) then one.id end
    order by ordinality) into refreshed
  from (
    select ordinality, coalesce(known[ordinality], said.id) as id
    from unnest(events) with ordinality as i left join said using (ordinality)
  ) as one;
  return refreshed;
end $$;

-- 0012: As store_run_1. Edits and revocations go together, where nobody else stores; they are applied in the end.
create function store_run_2(events incoming_event_1[], arrival arrival_1, alone boolean)
returns outcome_1[] language plpgsql as $$
declare
  -- What changes others would change what the events beside it were given already.
  is_alone boolean := alone and cardinality(events) = 1;
  contacts bigint[] := resolve_contacts_1(events, is_alone);
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
        perform require_alone_1(is_alone);
        perform fill_placeholder_1(events[1]);
        return store_run_2(array[filling_event_1(events[1])], arrival, alone);
      end if;
      copies := judge_copies_1(events, messages);
    end if;
    perform apply_earlier_edits_1(events, messages);
  end if;
  if has_others then
    others := store_others_1(events, contacts, arrival);
    perform update_states_1(events, others);
    perform require_alone_1(alone) from unnest(events) as e where e.kind in ('edit', 'revoke');
    copies := copies || array(
      select row(e.ord, 'duplicate', null)::outcome_1 from unnest(events) as e
      where e.kind <> 'message' and e.ord <> all (others));
  end if;
  return copies;
end $$;
