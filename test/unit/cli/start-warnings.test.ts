import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWarnings } from '../../../src/app/cli/start-warnings.ts'
import { readConfig } from '../../../src/app/config.ts'
import { SECRET } from '../../support/signed.ts'

function warningsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  const given = { WEBHOOK_SECRET: SECRET, ...environment }
  return startWarnings({ config: readConfig(given), environment: given, envFile: null })
}

test('a secret in quotes is told by its name, and the quotes are a part of it', () => {
  const sentence = (name: string) =>
    `${name} begins and ends with a quote, which counts as a part of it: outside of .env, write it without`
  for (const [name, value] of [
    ['WEBHOOK_SECRET', `"${SECRET}"`],
    ['WEBHOOK_SECRET', `'${SECRET},${SECRET}'`],
    ['WEBHOOK_SECRET', `${SECRET},"${SECRET}"`],
    ['META_VERIFY_TOKEN', ' "canary" '],
    ['API_KEYS', `"reader:${SECRET}"`],
  ] as const) {
    assert.deepEqual(warningsOf({ [name]: value }), [sentence(name)])
  }
  assert.deepEqual(warningsOf({ META_APP_SECRET: `'${SECRET}'`, META_VERIFY_TOKEN: 'token' }), [
    sentence('META_APP_SECRET'),
  ])
})

test('other quotes are as good as any character', () => {
  for (const token of ['"canary', 'canary"', '"canary\'', 'can"ar"y', '"']) {
    assert.deepEqual(warningsOf({ META_VERIFY_TOKEN: token }), [])
  }
})

test('a secret or a key that could be guessed is told by its name', () => {
  const sentence = (name: string) => `${name} is shorter than 32 bytes and could be guessed`
  const short = 'x'.repeat(31)
  assert.deepEqual(warningsOf({ WEBHOOK_SECRET: `${SECRET},${short}` }), [
    sentence('a WEBHOOK_SECRET'),
  ])
  assert.deepEqual(warningsOf({ META_APP_SECRET: short, META_VERIFY_TOKEN: 'token' }), [
    sentence('a META_APP_SECRET'),
  ])
  assert.deepEqual(warningsOf({ API_KEYS: `reader:${short}` }), [sentence('a key of API_KEYS')])
  assert.deepEqual(warningsOf({ API_KEYS: `reader:${short}x` }), [])
})

test('messages that are kept for as long as the process are told of', () => {
  const [warning, ...others] = warningsOf({ DATABASE_URL: 'sqlite://' })
  assert.match(warning ?? '', /lost when this process ends/)
  assert.deepEqual(others, [])
})
