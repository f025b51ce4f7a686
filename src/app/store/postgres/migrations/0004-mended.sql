-- oldest-replica: 1
-- What was wrong in the functions before. One that keeps its arguments and what it promises is
-- replaced, so that replicas of earlier versions are mended too.

-- Takes an address that `target` was not known under. Waits for whoever else is about to, and asks
-- for another try where that was somebody the caller had not seen (`seen`): taking the address from
-- them would leave one person as two.
create function take_address_1(address text, target bigint, seen bigint) returns void
language plpgsql as $$
declare
  owner bigint;
begin
  if address is null then return; end if;
  insert into contact_addresses values (address, target) on conflict do nothing;
  select a.contact into owner from contact_addresses as a where a.address = $1;
  if owner is distinct from target and owner is distinct from seen then
    raise exception 'Somebody else was seen under this address just now.' using errcode = '40001';
  end if;
end $$;

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
      else
        perform take_address_1(user_id, known.id, by_user.id);
        perform take_address_1(phone, known.id, by_phone.id);
      end if;
      perform bring_up_to_date_1(known, phone, user_id, parent_user_id, username, name, instant);
      return known.id;
    end if;
  end loop;
end $$;

-- Lets bodies expire that arrived before this moment (ms since 1970): at once for every reader, and
-- from the disk day by day, a call each. True while there may be more. Nothing is counted, and
-- nobody waits: neither for another replica, nor for a table that is in use.
create function expire_intakes_2(before bigint) returns boolean language plpgsql as $$
declare
  day text;
  deleted integer;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1() + 3) then return false; end if;
  update store set expired_before = before where expired_before < before;
  select relname into day
  from pg_inherits join pg_class on pg_class.oid = inhrelid
  where inhparent = 'intakes'::regclass and relname ~ '^intakes_[0-9]{8}$'
    and ms_at_1(to_date(right(relname, 8), 'YYYYMMDD') + 1) <= before
  order by relname limit 1;
  if day is not null then
    begin
      execute format('drop table if exists %I', day);
      return true;
    exception when lock_not_available then
      -- What has expired is hidden already; its day goes another time.
      return false;
    end;
  end if;
  delete from intakes_default where ctid = any (array(
    select ctid from intakes_default where received_at < before limit 5000));
  get diagnostics deleted = row_count;
  return deleted > 0;
end $$;
