// A database in memory with the schema, which tells how often a statement that is prepared on it is run.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { migrate } from '../../src/app/store/sqlite/schema.ts'

/** `countOf` counts, from then on, the calls of the first statement that begins so. */
export function countedDatabase(test: TestContext) {
  const database = new DatabaseSync(':memory:')
  test.after(() => database.close())
  migrate(database)
  const prepare = test.mock.method(database, 'prepare')
  const countOf = (begin: string, method: 'get' | 'all') => {
    const call = prepare.mock.calls.find(({ arguments: [sql] }) => sql.trim().startsWith(begin))
    const mocked = test.mock.method(call?.result as StatementSync, method)
    return () => mocked.mock.callCount()
  }
  return { database, countOf }
}
