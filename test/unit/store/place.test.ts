import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { parseDatabaseUrl } from '../../../src/app/store/database-url.ts'
import { databasePlace } from '../../../src/app/store/place.ts'

function placeOf(text: string) {
  const url = parseDatabaseUrl(text)
  assert.ok(url !== null)
  return databasePlace(url)
}

test('a file is told by its whole path', () => {
  const file = resolve('data/messages.db')
  assert.deepEqual(placeOf('sqlite:///./data/messages.db'), { engine: 'sqlite', file })
})

test('a temporary file is told as such, by the directory whose disk it takes', () => {
  for (const url of ['sqlite://', 'sqlite:///:memory:']) {
    assert.deepEqual(placeOf(url), { engine: 'sqlite', temporary_file_in: tmpdir() })
  }
})

test('a server is told as the driver finds it, without the user and the password', () => {
  const engine = 'postgresql'
  for (const [url, host, port, database] of [
    ['postgresql://canary:canary@db.example/app?sslmode=require', 'db.example', 5432, 'app'],
    ['postgresql://canary:canary@[::1]:6543/a%20b', '::1', 6543, 'a b'],
    [
      'postgresql:///app?host=/run/postgresql&port=6543&user=canary',
      '/run/postgresql',
      6543,
      'app',
    ],
  ] as const) {
    assert.deepEqual(placeOf(url), { engine, host, port, database })
  }
})
