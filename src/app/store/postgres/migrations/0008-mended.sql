-- oldest-replica: 1
-- A batch that comes again is answered when it is where the commit of any other batch is. No replica's
-- clock lets bodies expire before the server's does. Days are made and dropped one after the other, and
-- in the order of locks that readers and writers have.

-- As before. Every call writes: a commit that writes nothing waits for no standby.
create or replace function ingest_1(
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

-- What the server's clock says, in ms since 1970.
create function clock_ms_1() returns bigint volatile language sql
  return (extract(epoch from clock_timestamp()) * 1000)::bigint;

-- As before, while no day is made, and nothing that arrived within the last day: nobody keeps bodies
-- for less, so whoever asks for it has a clock that is ahead.
create or replace function expire_intakes_2(before bigint) returns boolean language plpgsql as $$
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

-- Of some days, beginning with this one, those that can have a partition: they have none yet, and none
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

-- As before, while none is dropped. Whoever stores or reads locks all days together, and then each, so
-- this does too. From there on nothing comes into the default partition: what is free stays so.
create or replace function make_days_1(first date, days integer) returns integer language plpgsql as $$
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
