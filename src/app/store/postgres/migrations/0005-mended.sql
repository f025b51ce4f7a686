-- oldest-replica: 1
-- A day that somebody reads keeps no other day from expiring, and an address that is known costs
-- nothing more.

-- As before: lets bodies expire that arrived before this moment (ms since 1970), at once for every
-- reader, and from the disk day by day, a call each. True while there may be more. A day that is in
-- use is passed over without waiting: whoever stores would wait behind.
create or replace function expire_intakes_2(before bigint) returns boolean language plpgsql as $$
declare
  day text;
  deleted integer;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1() + 3) then return false; end if;
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

-- As before, without looking where there is nothing to take.
create or replace function take_address_1(address text, target bigint, seen bigint) returns void
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
