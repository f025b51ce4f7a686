// Every B-tree index against its table, where the server has amcheck for that.
import type { VerifyTransaction } from './verify-transaction.ts'

/** Compares them unless that is to be quick; resolves with what can be said of it. */
export async function checkIndexes(
  transaction: VerifyTransaction,
  quick: boolean,
): Promise<string> {
  if (quick) return 'indexes not compared (--quick)'
  const [check] = await transaction.all<{ name: string; allowed: boolean }>(`
    select format('%I.bt_index_check', nspname) as name,
      has_function_privilege(pg_proc.oid, 'execute') as allowed
    from pg_extension
    join pg_namespace on pg_namespace.oid = extnamespace
    join pg_proc on pronamespace = extnamespace and proname = 'bt_index_check' and pronargs > 1
    where extname = 'amcheck' order by pronargs limit 1`)
  if (check === undefined) return 'indexes not compared (the extension amcheck is not installed)'
  if (!check.allowed) return 'indexes not compared (this user may not use amcheck)'
  const indexes = await transaction.all<{ id: number; name: string }>(`
    select indexrelid as id, relname as name from pg_index
    join pg_class on pg_class.oid = indexrelid and relkind = 'i' and relpersistence = 'p'
    join pg_am on pg_am.oid = relam and amname = 'btree'
    where relnamespace = current_schema()::regnamespace and indisvalid order by relname`)
  for (const { id, name } of indexes) {
    await transaction.guard(
      `index ${name}`,
      () => transaction.all(`select ${check.name}($1::oid::regclass, true)`, [id]),
      'amcheck does not pass it.',
    )
  }
  return `${indexes.length} indexes compared`
}
