-- oldest-replica: 1
-- Two people who turn out to be one, and numbers that somebody else has since. merge_contacts_1 is called
-- no more, and goes a version later.

-- Without it, what else happened to a person was looked for among all events, which takes longer than a
-- batch may. Readers go by the sequence, and name no contact > 0: a person may have as many events as all
-- others together. Storing waits while it is made, which is one pass over the table of events.
create index events_by_contact on events (contact) where contact > 0;

-- How much is stored of a person, and `most` where it is more than that.
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

-- Whether more is stored of one than of the other. It takes as long as there is of the one with less.
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

-- Makes two people one, with everything of both, and of each thing that is known of both the newer one;
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

-- As before. Whose number it is since is looked at whatever is known of the person, and not where
-- both are one from now on; of two who are, either may be left.
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

-- As before; who is left may be either of two.
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

-- A number could be left with somebody who is one with another person since; nobody was found by it. It
-- is that person's again: it is their key or their number. Where nobody has it, it is free.
with lost as materialized (
  select address from contact_addresses as a
  where not exists (select from contacts as c where c.id = a.contact)
), owners as (
  select distinct on (address) address, c.id
  from lost join contacts as c on address in (c.key, c.phone)
  order by address, c.key = address desc, c.address_instant desc
)
update contact_addresses as a set contact = o.id from owners as o where a.address = o.address;
delete from contact_addresses as a
where not exists (select from contacts as c where c.id = a.contact);
