import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkDatabase } from '../../../src/app/cli/doctor/database.ts'
import { Findings } from '../../../src/app/cli/doctor/findings.ts'
import { asNobody } from '../../support/as-nobody.ts'
import { fillDatabase } from '../../support/filled-database.ts'
import { flatBody } from '../../support/signed.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

test('of a database that this user may only read, or not even that, it says what to do', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'messages.db')
  await fillDatabase(file, [flatBody()])
  const finding = async (mode: number) => {
    const lines: string[] = []
    chmodSync(file, mode)
    const findings = new Findings((line) => lines.push(line))
    await asNobody(() => checkDatabase({ engine: 'sqlite', file }, findings))
    return lines
  }
  chmodSync(directory, 0o555)
  const shown = `FAULT  database: ${file} can't be read:`
  const advice = 'run this as the user of the service.'
  assert.deepEqual(await finding(0o444), [
    `${shown} this user may not write it or beside it, which SQLite needs even to read: ${advice}`,
  ])
  assert.deepEqual(await finding(0o000), [
    `${shown} this user may not open it, or not what SQLite has beside it: ${advice}`,
  ])
  chmodSync(directory, 0o700)
})
