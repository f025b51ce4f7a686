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
