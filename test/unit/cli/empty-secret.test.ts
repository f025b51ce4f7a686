import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fillEmptySecret } from '../../../src/app/cli/empty-secret.ts'
import { asNobody } from '../../support/as-nobody.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const EXAMPLE = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')

/** A directory with this .env, and the file's path. */
function withFile(t: Parameters<typeof temporaryDirectory>[0], text: string): [string, string] {
  const directory = temporaryDirectory(t)
  const file = join(directory, '.env')
  writeFileSync(file, text)
  return [directory, file]
}

test('the empty line gets a random secret, for this user alone, and nothing else changes', async (t) => {
  const secrets = new Set<string>()
  for (const [before, after] of [
    [EXAMPLE, EXAMPLE.replace('\nWEBHOOK_SECRET=', '\nWEBHOOK_SECRET=SECRET')],
    ['A=1\r\nWEBHOOK_SECRET=\r\nB=2', 'A=1\r\nWEBHOOK_SECRET=SECRET\r\nB=2'],
    ['export WEBHOOK_SECRET="" # a\nB=', 'export WEBHOOK_SECRET=SECRET # a\nB='],
    ["WEBHOOK_SECRET = '' \n", 'WEBHOOK_SECRET =SECRET \n'],
    ['WEBHOOK_SECRET= # a\n', 'WEBHOOK_SECRET=SECRET # a\n'],
    ['WEBHOOK_SECRET=a\nWEBHOOK_SECRET=', 'WEBHOOK_SECRET=a\nWEBHOOK_SECRET=SECRET'],
  ] as const) {
    const [directory, file] = withFile(t, before)
    chmodSync(file, 0o644)
    assert.equal(await fillEmptySecret(directory, {}), file)
    const text = readFileSync(file, 'utf8')
    const [secret = ''] = /(?<==)[0-9a-f]{64}\b/.exec(text) ?? []
    assert.equal(text.replace(secret, 'SECRET'), after)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(directory), ['.env'])
    secrets.add(secret)
  }
  assert.equal(secrets.size, 6)
})

test('a file behind a link stays where it is', async (t) => {
  const [, file] = withFile(t, 'WEBHOOK_SECRET=\n')
  const directory = temporaryDirectory(t)
  symlinkSync(file, join(directory, '.env'))
  assert.equal(await fillEmptySecret(directory, {}), file)
  assert.ok(lstatSync(join(directory, '.env')).isSymbolicLink())
  assert.match(readFileSync(file, 'utf8'), /^WEBHOOK_SECRET=[0-9a-f]{64}\n$/)
})

test('where there is no empty line, or another one counts, the file stays as it is', async (t) => {
  for (const text of [
    '',
    'META_APP_SECRET=a\n',
    '#WEBHOOK_SECRET=\n',
    'WEBHOOK_SECRET=a\n',
    'WEBHOOK_SECRET=\nWEBHOOK_SECRET=a\n',
    'WEBHOOK_SECRET=\nWEBHOOK_SECRET=\n',
    'WEBHOOK_SECRET=#a\n',
    'APP_NAME="\nWEBHOOK_SECRET=\n"\nWEBHOOK_SECRET=""\'\n',
  ]) {
    const [directory, file] = withFile(t, text)
    assert.equal(await fillEmptySecret(directory, {}), null, text)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.deepEqual(readdirSync(directory), ['.env'])
  }
})

test('a secret in the environment, even an empty one, leaves the file alone', async (t) => {
  const [directory, file] = withFile(t, 'WEBHOOK_SECRET=\n')
  for (const WEBHOOK_SECRET of ['secret', '']) {
    assert.equal(await fillEmptySecret(directory, { WEBHOOK_SECRET }), null)
    assert.equal(readFileSync(file, 'utf8'), 'WEBHOOK_SECRET=\n')
  }
})

test('only its owner replaces the file', async (t) => {
  const [directory, file] = withFile(t, 'WEBHOOK_SECRET=\n')
  chmodSync(directory, 0o777)
  const isOwner = process.geteuid?.() !== 0
  const filled = await asNobody(() => fillEmptySecret(directory, {}))
  assert.equal(filled, isOwner ? file : null)
})

test('without a file, or with one that can not be read, nothing is written', async (t) => {
  const directory = temporaryDirectory(t)
  assert.equal(await fillEmptySecret(directory, {}), null)
  mkdirSync(join(directory, '.env'))
  assert.equal(await fillEmptySecret(directory, {}), null)
  assert.deepEqual(readdirSync(directory), ['.env'])
})
