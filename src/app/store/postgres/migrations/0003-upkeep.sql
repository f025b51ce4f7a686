-- oldest-replica: 1
-- What replicas do beside storing: fold counters, make and drop days, forget batches.

create function folding_lock_1() returns bigint immutable parallel safe language sql
  return 22343::bigint << 48;

-- Adds up changes that were appended, at most so many of each kind. Returns how many; none while
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

-- Takes the texts that wait into the index, unless another replica does so.
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

-- Makes the partitions of some days, beginning with this one. Where bodies of such a day are in
-- the default partition already, they stay there. Returns how many were made.
create function make_days_1(first date, days integer) returns integer language plpgsql as $$
declare
  made integer := 0;
  day date;
begin
  if not pg_try_advisory_xact_lock(folding_lock_1() + 1) then return 0; end if;
  for day in select first + n from generate_series(0, days - 1) as n loop
    continue when to_regclass(day_partition_1(day)) is not null;
    continue when exists (select 1 from intakes_default
      where received_at >= ms_at_1(day) and received_at < ms_at_1(day + 1));
    execute format('create table %I partition of intakes for values from (%s) to (%s)',
      day_partition_1(day), ms_at_1(day), ms_at_1(day + 1));
    made := made + 1;
  end loop;
  return made;
end $$;

-- Lets bodies expire that arrived before this moment (ms since 1970): at once for every reader, and
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

-- Batches that nobody will send again.
create function forget_batches_1() returns void language sql as
  $$delete from batches where stored_at < now() - interval '1 hour'$$;
