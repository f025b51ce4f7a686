// The schema against what the migrations make. A unique index that is missing would go unnoticed
// until the first message is stored twice.
import type { Report } from '../verify/verification.ts'
import { missingMigrations, type SchemaState } from './schema.ts'
import { DAYS_SQL, expectedObjects, OBJECTS_SQL } from './schema-objects.ts'
import type { VerifyTransaction } from './verify-transaction.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** What nobody but the migrations may add, and this version's add none of the first two. */
const FOREIGN = /^(trigger|rule|constraint) (\w+)\./

/** Checks that everything is there and as it was made; days of intakes as the upkeep makes them. */
export async function checkSchema(
  transaction: VerifyTransaction,
  { found, needed }: SchemaState,
  report: Report,
): Promise<void> {
  const applied = await transaction.all<{ version: number }>(
    'select version from schema_migrations',
  )
  for (const version of missingMigrations(applied.map((row) => row.version))) {
    report(`schema: the migration ${version} was not applied.`)
  }
  const expected = expectedObjects()
  const rows = await transaction.all<{ name: string; definition: string }>(OBJECTS_SQL)
  const objects = new Map(rows.map(({ name, definition }) => [name, definition]))
  for (const [name, definition] of Object.entries(expected)) {
    const stored = objects.get(name)
    if (stored === undefined) report(`schema: the ${name} is missing.`)
    else if (stored !== definition) report(`schema: the ${name} is not as it was created.`)
  }
  for (const name of found > needed ? [] : objects.keys()) {
    const table = FOREIGN.exec(name)?.[2]
    if (table === undefined || !(`table ${table}` in expected) || name in expected) continue
    report(`schema: the ${name} does not belong there.`)
  }
  await checkDays(transaction, report)
}

type Day = { name: string; bounds: string; is_logged: boolean; indexes: number }

async function checkDays(transaction: VerifyTransaction, report: Report): Promise<void> {
  const days = await transaction.all<Day>(DAYS_SQL)
  if (!days.some(({ name }) => name === 'intakes_default')) {
    report('schema: the table intakes_default is missing.')
  }
  const indexes = Object.keys(expectedObjects()).filter((name) => /^index intakes_/.test(name))
  for (const day of days) {
    if (day.bounds !== boundsOf(day.name)) {
      report(`schema: the table ${day.name} does not hold the day it is named after.`)
    }
    if (!day.is_logged) report(`schema: the table ${day.name} would not survive a crash.`)
    if (day.indexes < indexes.length) {
      report(`schema: the table ${day.name} lacks an index that is valid.`)
    }
  }
}

/** As the server writes them; null where no day is named so. */
function boundsOf(name: string): string | null {
  if (name === 'intakes_default') return 'DEFAULT'
  const [, year, month, day] = /^intakes_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? []
  const from = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  return Number.isNaN(from) ? null : `FOR VALUES FROM ('${from}') TO ('${from + DAY_MS}')`
}
