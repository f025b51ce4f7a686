// What a schema consists of, each thing with its definition in the server's own words.
import { readFileSync } from 'node:fs'

/** By name, as `index messages_by_seq`: how it is defined. */
export type SchemaObjects = Readonly<Record<string, string>>

const FILE = new URL('./schema-objects.json', import.meta.url)

/** What the migrations make, as noted from a database they were applied to. */
export function expectedObjects(): SchemaObjects {
  return JSON.parse(readFileSync(FILE, 'utf8')) as SchemaObjects
}

/**
 * What is there, `name` and `definition`. Bodies of functions are told from each other by their
 * digests. What extensions brought, the days of the intakes, and what is tuned of tables are left out.
 */
export const OBJECTS_SQL = `
with tables as (
  select * from pg_class where relnamespace = current_schema()::regnamespace
    and relkind in ('r', 'p', 'c') and not relispartition
)
select case relkind when 'c' then 'type ' else 'table ' end || relname as name, concat_ws(' ',
  case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
  pg_get_partkeydef(oid),
  case when relrowsecurity then 'with row security' end) as definition
from tables
union all
select 'column ' || relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
  'collate ' || nullif(collname, 'default'), case when attnotnull then 'not null' end,
  'default ' || pg_get_expr(adbin, adrelid))
from tables join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
left join pg_collation on pg_collation.oid = attcollation
left join pg_attrdef on adrelid = attrelid and adnum = attnum
union all
select 'index ' || pg_class.relname, concat_ws(' ', pg_get_indexdef(indexrelid, 0, true),
  case when not (indisvalid and indisready and indislive) then 'not valid' end)
from pg_index join tables on tables.oid = indrelid join pg_class on pg_class.oid = indexrelid
union all
select 'constraint ' || relname || '.' || conname, concat_ws(' ', pg_get_constraintdef(pg_constraint.oid, true),
  case when not convalidated then 'not valid' end)
from tables join pg_constraint on conrelid = tables.oid and contype in ('c', 'p', 'u', 'x', 'f')
union all
select 'sequence ' || relname, concat_ws(' ', format_type(seqtypid, null), 'from', seqstart, 'by',
  seqincrement, 'within', seqmin, seqmax, 'caching', seqcache, case when seqcycle then 'cycling' end)
from pg_class join pg_sequence on seqrelid = oid
where relnamespace = current_schema()::regnamespace
union all
select 'function ' || proname, concat_ws(' ', '(' || pg_get_function_identity_arguments(oid) || ')',
  'returns', pg_get_function_result(oid), 'language', (select lanname from pg_language where oid = prolang),
  'volatile', provolatile, 'parallel', proparallel, case when proisstrict then 'strict' end,
  case when prosecdef then 'security definer' end, array_to_string(proconfig, ' '), 'sha256',
  encode(sha256(convert_to(coalesce(pg_get_function_sqlbody(oid), prosrc), 'UTF8')), 'hex'))
from pg_proc
where pronamespace = current_schema()::regnamespace and not exists (
  select 1 from pg_depend where objid = pg_proc.oid and classid = 'pg_proc'::regclass and deptype = 'e')
union all
select 'trigger ' || relname || '.' || tgname, pg_get_triggerdef(pg_trigger.oid, true)
from tables join pg_trigger on tgrelid = tables.oid and not tgisinternal
union all
select 'rule ' || relname || '.' || rulename, pg_get_ruledef(pg_rewrite.oid, true)
from tables join pg_rewrite on ev_class = tables.oid
order by 1`

/** Where the bodies of each day lie, and what is amiss with that. */
export const DAYS_SQL = `
select pg_class.relname as name, pg_get_expr(relpartbound, pg_class.oid) as bounds,
  relpersistence = 'p' as is_logged,
  (select count(*) from pg_index where indrelid = pg_class.oid and indisvalid and indisready) as indexes
from pg_inherits join pg_class on pg_class.oid = inhrelid
where inhparent = to_regclass('intakes')
order by 1`
