import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { remarksOn } from '../../../src/app/cli/env-file-remarks.ts'

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')

test('a misspelt name is told with the one that may be meant', () => {
  for (const [written, meant] of [
    ['READ_ACESS', 'READ_ACCESS'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['WEBHOOK_SECRETS', 'WEBHOOK_SECRET'],
    ['WEBHOOK_SERCET', 'WEBHOOK_SECRET'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['webhook_secret', 'WEBHOOK_SECRET'],
    ['POTR', null],
    ['PORTS', 'PORT'],
    ['PGPASSWORD', null],
    ['TZ', null],
  ] as const) {
    const hint = meant === null ? '' : `: is ${meant} meant?`
    assert.deepEqual(remarksOn(`${written}=canary\n`), [
      `${written} is no setting of this service and has no effect${hint}`,
    ])
  }
})

test('a line without a = is told by its number, unless it belongs to a value in quotes', () => {
  const lines = [
    '# a comment',
    'WEBHOOK_SECRET canary',
    '',
    'APP_NAME="two',
    'lines of it"',
    "META_VERIFY_TOKEN='canary",
    'export PORT',
    '  ',
    '\r',
  ]
  assert.deepEqual(remarksOn(lines.join('\n')), [
    'line 2 of .env has no "=" and sets nothing',
    'line 7 of .env has no "=" and sets nothing',
  ])
})

test('what may be a piece of a secret is not shown', () => {
  assert.deepEqual(remarksOn('WEBHOOK_SECRET=a\nCanary0Y2FuYXJ5==\n'), [
    'a name in .env is no setting of this service and has no effect',
  ])
})

test('nothing is said of the example, and of names that docker compose reads', () => {
  assert.deepEqual(remarksOn(read('.env.example').replaceAll(/^#(?=\w+=)/gm, '')), [])
  const compose = [...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name)
  assert.ok(compose.includes('POSTGRES_PASSWORD'))
  const lines = [...compose, 'COMPOSE_PROJECT_NAME', 'DOCKER_HOST'].map((name) => `${name}=a`)
  assert.deepEqual(remarksOn(lines.join('\n')), [])
})
