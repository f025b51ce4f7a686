// Who else may create in the service's schema, as in clusters from before PostgreSQL 15 everybody may: a
// function of theirs can take calls that our own functions make.
import type { ClientBase } from 'pg'

/**
 * The schema of the tables, or where they are about to be made, and who may create there. Whoever may is
 * not asked: each type is exactly the one that the server's own function or operator has.
 */
const CREATORS_SQL = `
  with home as (
    select nspname, nspowner, coalesce(nspacl, acldefault('n'::"char", nspowner)) as acl
    from pg_namespace
    where oid = coalesce(
      (select relnamespace from pg_class where oid = to_regclass('schema_migrations'::text)::oid),
      to_regnamespace(quote_ident(current_schema()::text))::oid)
  ), creators as (
    select distinct coalesce(quote_ident(rolname::text), 'PUBLIC') as name,
      rolname is not distinct from current_user as is_us, coalesce(rolsuper, false) as is_superuser
    from home cross join aclexplode(acl) left join pg_roles on pg_roles.oid = grantee
    where privilege_type = 'CREATE' and grantee <> nspowner and (grantee = 0::oid or rolname is not null)
  )
  select quote_ident(nspname::text) as schema, quote_ident(current_user::text) as us,
    array(select name from creators where not is_us and not is_superuser order by name) as others,
    pg_has_role(current_user, nspowner, 'usage'::text) or exists (select from creators where is_us)
      as "isOurs"
  from home`

type Creators = {
  readonly schema: string
  readonly us: string
  readonly others: readonly string[]
  /** Whether we may create there without being one of everybody, or of a group. */
  readonly isOurs: boolean
}

/**
 * What the owner of the schema has to run so that nobody else may create in it; null where nobody may,
 * but for its owner and superusers. The service goes on to make its tables and the days of bodies.
 */
export async function remedyForCreators(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<Creators>(CREATORS_SQL)
  const [found] = rows
  if (found === undefined || found.others.length === 0) return null
  const { schema, us, others, isOurs } = found
  const revoke = `REVOKE CREATE ON SCHEMA ${schema} FROM ${others.join(', ')};`
  return isOurs ? revoke : `GRANT CREATE ON SCHEMA ${schema} TO ${us}; ${revoke}`
}
