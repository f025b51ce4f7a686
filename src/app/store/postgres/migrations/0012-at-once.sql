-- oldest-replica: 1
-- Nobody's key is an address of somebody else, and two people may come to one key on the way there: it
-- is not unique. People are brought up to date, and messages get their edits, once a batch. store_run_1 is
-- called no more, but by whoever waits for this migration, and goes a version later.

-- Nothing looks for a key: people are found by their addresses.
drop index contacts_by_key;

-- A person's row is written again with most of what they say: room for it where it is.
alter table contacts set (fillfactor = 80);

-- As before. Under a number that is somebody else's by now they would not be found, and keep the key they had.
create or replace function write_contact_1(known contacts, latest contacts) returns void
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

-- Brings people up to date of whom events say nothing that is new but a name or a later moment: the
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

-- As before, and most of who is known already at once too.
create or replace function resolve_contacts_1(events incoming_event_1[], alone boolean)
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

-- As store_run_1. Edits and revocations go together, where nobody else stores; they are applied in the end.
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

-- As before. A message that many events edit gets its text once.
create or replace function ingest_1(
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
