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
    ['API_KEYS', '"reader:canary"'],
  ] as const) {
    assert.deepEqual(warningsOf({ [name]: value }), [sentence(name)])
  }
  assert.deepEqual(warningsOf({ META_APP_SECRET: "'canary'", META_VERIFY_TOKEN: 'token' }), [
    sentence('META_APP_SECRET'),
  ])
})

test('other quotes are as good as any character', () => {
  for (const token of ['"canary', 'canary"', '"canary\'', 'can"ar"y', '"']) {
    assert.deepEqual(warningsOf({ META_VERIFY_TOKEN: token }), [])
  }
})
