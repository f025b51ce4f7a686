import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { UsageError } from '../../../src/app/cli/command.ts'
import { writeWholeFile } from '../../../src/app/cli/whole-file.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

test('a file is for its owner alone, however it was made', async (t) => {
  const file = join(temporaryDirectory(t), 'copy')
  await writeWholeFile({ file, force: false }, async (to) => writeFileSync(to, '', { mode: 0o644 }))
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('who was quicker keeps the name of a file that may not be replaced, and nothing is left', async (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, 'copy')
  const writing = writeWholeFile({ file, force: false }, async (to) => {
    writeFileSync(to, 'late')
    writeFileSync(file, 'quicker')
  })
  await assert.rejects(writing, UsageError)
  assert.equal(readFileSync(file, 'utf8'), 'quicker')
  assert.deepEqual(readdirSync(directory), ['copy'])
})
