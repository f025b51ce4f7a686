-- oldest-replica: 1
-- What is left in the end does not depend on what came first: neither of people, nor of media of a
-- history and whose they are, nor of a status that is repeated with another time.

-- What is known of a person has a moment for each part: address_instant is that of the number,
-- profile_instant that of the name. Null: stored before, and as old as that.
alter table contacts
  add column user_instant text collate "C",
  add column username_instant text collate "C";

-- Of a number that somebody left, before any id was seen with it: whoever had it until then is them.
alter table contact_addresses add column held_until text collate "C";

-- A row with the moment of each part; '' where nobody has said it yet.
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

-- What an event says of somebody, as a row.
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

-- A row with whatever another one knows that is newer. Equal rows: nothing.
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

create function write_contact_1(known contacts, latest contacts) returns void language plpgsql as $$
begin
  if latest is not distinct from known then return; end if;
  update contacts as c set key = latest.key, phone = latest.phone, user_id = latest.user_id,
    parent_user_id = latest.parent_user_id, username = latest.username, name = latest.name,
    address_instant = latest.address_instant, user_instant = latest.user_instant,
    profile_instant = latest.profile_instant, username_instant = latest.username_instant
  where c.id = known.id;
end $$;

-- As before: what happens to a row when a payload says something of its person.
create or replace function updated_contact_1(
  known contacts, phone text, user_id text, parent_user_id text, username text, name text,
  instant text
) returns contacts immutable language plpgsql as $$
begin
  return latest_contact_1(known,
    said_contact_1(phone, user_id, parent_user_id, username, name, instant));
end $$;

-- As before. Whoever takes it is not asked who had it until when.
create or replace function set_address_1(address text, contact bigint) returns void
language plpgsql as $$
begin
  insert into contact_addresses as known values ($1, $2)
  on conflict on constraint contact_addresses_pkey do update
    set contact = excluded.contact, held_until = null
    where known.contact <> excluded.contact;
end $$;

-- As before, with a moment for each part.
create or replace function bring_up_to_date_1(
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

-- As before; of each thing that is known of both, the newer one counts.
create or replace function merge_contacts_1(source bigint, target bigint) returns void
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

-- As before, with a moment for each part.
create or replace function create_contact_1(
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

-- As before, with a moment for each part.
create or replace function create_contacts_1(events incoming_event_1[]) returns void
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

-- As before. Where a moment is not known, what the event says may change something.
create or replace function known_contacts_1(events incoming_event_1[]) returns bigint[]
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

-- Whether a number was somebody's, without an id, until after this moment.
create function is_held_1(number text, instant text) returns boolean stable language sql as
  'select exists (select 1 from contact_addresses where address = $1 and held_until > $2)';

-- As before. Somebody whose number was seen without an id until they left it has the id that it was
-- seen with before.
create or replace function resolve_contact_1(
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
    was_given_since := by_phone.id is distinct from known.id and by_phone.user_id is not null
      and by_phone.phone = phone and by_phone.address_instant > instant
      and phone is distinct from known.phone;
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
        perform merge_contacts_1(by_phone.id, known.id);
        select * into known from contacts as c where c.id = known.id;
      else
        if by_phone.id <> known.id and phone is distinct from known.phone then
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

-- As before. Who they were comes first; who they are is then as this event says, if none is newer:
-- without an id, that is not known any more.
create or replace function link_contacts_1(e incoming_event_1, former json) returns void
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
    perform merge_contacts_1(source, target);
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

-- As before, and all that the earliest one says.
create or replace function make_earlier_1(events incoming_event_1[]) returns text[] language sql as $$
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

-- As before, and whether a message of nobody is somebody's, as only the placeholder for it says.
create or replace function are_placeholders_filled_1(events incoming_event_1[], created integer[])
returns boolean language sql as $$
  select exists (
    select 1 from unnest(events) as e
    join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
    where e.kind = 'message' and e.ord <> all (created) and (
      m.type = 'media_placeholder' and e.type <> 'media_placeholder'
      or m.type <> 'media_placeholder' and e.type = 'media_placeholder'
        and m.contact is null and coalesce(e.phone, e.user_id) is not null))
$$;

-- As before, and gives a message of nobody to the person that the other one names.
create or replace function fill_placeholder_1(e incoming_event_1) returns void language plpgsql as $$
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

-- As before. Of a placeholder that came last, the content is what was stored.
create or replace function filling_event_1(e incoming_event_1) returns incoming_event_1
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
