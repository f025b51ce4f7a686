import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEnvironment, writeFirstEnvironment } from '../../../src/app/cli/environment.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

test('without a .env the environment is that of the process', (t) => {
  assert.deepEqual(readEnvironment(temporaryDirectory(t), { A: '1' }), { A: '1' })
})

test('variables of the process win over those of .env, empty ones included', (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, '.env'), 'A=file\nB="file b"\nC=file # comment\n#D=file\nE=\n')
  assert.deepEqual(readEnvironment(directory, { A: 'process', B: '' }), {
    A: 'process',
    B: '',
    C: 'file',
    E: '',
  })
})

test('a value that a # would cut off is refused, by file and variable and not by its value', (t) => {
  const directory = temporaryDirectory(t)
  const lines = [
    'META_VERIFY_TOKEN=my#token',
    'export WEBHOOK_SECRET=#canary # and a comment',
    'API_KEYS="reader:the#key" # a comment#with one',
    "META_APP_SECRET='a#b'#a comment",
    'LOG_LEVEL=info # not#debug',
    'LOG_FORMAT= #json',
    'APP_NAME="two',
    'HOST=lines#of it"',
    '#PORT=1#2',
    'OF_ANOTHER_PROGRAM=my#token',
    'DATABASE_URL=postgresql://user:pass#word@host/database',
  ]
  writeFileSync(join(directory, '.env'), lines.join('\n'))
  const advice = 'ends before its "#": put it in quotes, or a blank before a comment.'
  assert.throws(() => readEnvironment(directory, { DATABASE_URL: 'sqlite://' }), {
    name: 'ConfigurationError',
    message: ['WEBHOOK_SECRET', 'META_VERIFY_TOKEN']
      .map((name) => `${join(directory, '.env')}: the value of ${name} ${advice}`)
      .join('\n'),
  })
})

test('a value in quotes may have a #, and one without may have a comment behind a blank', (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, '.env'), 'WEBHOOK_SECRET="a#b" # c#d\nAPP_NAME=e # f#g\n')
  assert.deepEqual(readEnvironment(directory, {}), { WEBHOOK_SECRET: 'a#b', APP_NAME: 'e' })
})

test('a mark of the byte order before the first variable is no part of its name', (t) => {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, '.env'), '\ufeffA=1\r\nB=2\r\n')
  assert.deepEqual(readEnvironment(directory, {}), { A: '1', B: '2' })
})

test('a first .env is the example with a random secret of 32 bytes, for this user alone', (t) => {
  const secrets = [1, 2].map(() => {
    const directory = temporaryDirectory(t)
    const file = writeFirstEnvironment(directory, {})
    assert.equal(file, join(directory, '.env'))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const secret = readEnvironment(directory, {})['WEBHOOK_SECRET'] ?? ''
    assert.match(secret, /^[0-9a-f]{64}$/)
    const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
    assert.equal(readFileSync(file, 'utf8').replace(secret, ''), example)
    return secret
  })
  assert.notEqual(secrets[0], secrets[1])
})

test('a .env that can not be read or written is a sentence', (t) => {
  const directory = temporaryDirectory(t)
  mkdirSync(join(directory, '.env'))
  assert.throws(() => readEnvironment(directory, {}), {
    name: 'ConfigurationError',
    message: `${join(directory, '.env')} can't be read (EISDIR).`,
  })
  assert.throws(() => writeFirstEnvironment(join(directory, 'missing'), {}), {
    name: 'ConfigurationError',
    message: /missing\/\.env can't be written \(ENOENT\)/,
  })
})

test('a .env that is there is left alone', (t) => {
  const directory = temporaryDirectory(t)
  const file = join(directory, '.env')
  writeFileSync(file, '')
  assert.equal(writeFirstEnvironment(directory, {}), null)
  assert.equal(readFileSync(file, 'utf8'), '')
})

test('a secret in the environment, even an empty one, writes nothing', (t) => {
  const directory = temporaryDirectory(t)
  for (const WEBHOOK_SECRET of ['secret', '']) {
    assert.equal(writeFirstEnvironment(directory, { WEBHOOK_SECRET }), null)
    assert.equal(existsSync(join(directory, '.env')), false)
  }
})
