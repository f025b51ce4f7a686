// A migration of a SQLite file that is killed at any of its steps. MIGRATION_CUTS=100 for a longer
// run.
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { randomFrom } from '../../src/app/cli/random.ts'
import { openWriter } from '../../src/app/store/sqlite/connection.ts'
import { migrate } from '../../src/app/store/sqlite/schema.ts'
import { launch } from '../support/service.ts'
import { flatBody } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { writeVersion1 } from '../support/version-1.ts'
import { saidIn } from './sender.ts'
import { seedOf } from './setting.ts'

const CUTS = Number(process.env['MIGRATION_CUTS'] ?? 12)
const PROGRAM = fileURLToPath(new URL('./migrating-process.ts', import.meta.url))
const MESSAGES = 300

type Guard = 'all guards' | 'no transaction'

/** Migrates a file in a process of its own, to the end or to one of its steps. */
async function migrateInProcess(t: TestContext, file: string, guard: Guard, step = 0) {
  const cwd = temporaryDirectory(t)
  const migrating = launch(t, { cwd, program: PROGRAM, args: [file, String(step), guard] })
  const { code, signal } = await migrating.ended
  if (step === 0) assert.equal(code, 0, migrating.stderr)
  else assert.equal(signal, 'SIGKILL', migrating.stderr)
  return { steps: Number(migrating.stdout) }
}

/** Everything in a file: what it consists of, and every row. */
function contentOf(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true })
  const objects = database.prepare('select type, name, sql from sqlite_schema order by name').all()
  const tables = objects.flatMap(({ type, name }) => (type === 'table' ? [String(name)] : []))
  const rows = tables.map((name) => [name, database.prepare(`select * from "${name}"`).all()])
  const version = database.prepare('pragma user_version').get()
  database.close()
  return { version, objects, rows }
}

function versionOf(file: string): number {
  const database = new DatabaseSync(file)
  const { user_version: version } = database.prepare('pragma user_version').get() ?? {}
  database.close()
  return Number(version)
}

/** Migrates what an interrupted process left; resolves with what is wrong afterwards. */
function completed(file: string, expected: unknown): string | null {
  const database = openWriter(file)
  try {
    migrate(database)
  } catch (error) {
    return `It can't be completed: ${String(error)}`
  } finally {
    database.close()
  }
  try {
    assert.deepEqual(contentOf(file), expected)
    return null
  } catch {
    return 'It is not what an uninterrupted migration makes.'
  }
}

/** Kills a migration at so many seeded steps; resolves with what was wrong after each. */
async function killAtSteps(t: TestContext, cuts: number, guard: Guard): Promise<string[]> {
  const random = randomFrom(seedOf(t))
  const directory = temporaryDirectory(t)
  const earlier = join(directory, 'version-1.db')
  const bodies = Array.from({ length: MESSAGES }, (_, i) =>
    flatBody({ message_id: `m-${i}`, ...saidIn(i) }),
  )
  writeVersion1(earlier, bodies)
  const whole = join(directory, 'whole.db')
  copyFileSync(earlier, whole)
  const { steps } = await migrateInProcess(t, whole, guard)
  const expected = contentOf(whole)
  const found: string[] = []
  const versions: number[] = []
  for (let cut = 0; cut < cuts; cut++) {
    // One in each part of the way.
    const step = 1 + Math.floor(((cut + random()) / cuts) * steps)
    const file = join(directory, `cut-${cut}.db`)
    copyFileSync(earlier, file)
    await migrateInProcess(t, file, guard, step)
    versions.push(versionOf(file))
    const fault = completed(file, expected)
    if (fault !== null) found.push(`Killed at step ${step} of ${steps}: ${fault}`)
  }
  t.diagnostic(`${cuts} kills in ${steps} steps, which left version ${[...new Set(versions)]}`)
  return found
}

test(`SQLite: a migration killed at ${CUTS} of its steps is completed by the next, rows and all`, {
  timeout: 3_600_000,
}, async (t) => {
  assert.deepEqual(await killAtSteps(t, CUTS, 'all guards'), [])
})

test('SQLite: the twin that migrates without a transaction is caught', async (t) => {
  const found = await killAtSteps(t, 5, 'no transaction')
  assert.ok(found.length > 0)
})
