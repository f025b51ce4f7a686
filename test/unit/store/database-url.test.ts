import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDatabaseUrl } from '../../../src/app/store/database-url.ts'

describe('parseDatabaseUrl', () => {
  for (const [url, file] of [
    ['sqlite:///./data/messages.db', './data/messages.db'],
    ['sqlite:///messages.db', 'messages.db'],
    ['sqlite:////var/lib/messages.db', '/var/lib/messages.db'],
    ['sqlite:///../with space/é.db', '../with space/é.db'],
    ['sqlite:///a:b@c.db', 'a:b@c.db'],
    ['sqlite+aiosqlite:///messages.db', 'messages.db'],
    ['sqlite+pysqlite:////var/lib/messages.db', '/var/lib/messages.db'],
  ] as const) {
    it(`takes ${url} for the file ${file}`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'sqlite', file })
    })
  }

  for (const url of ['sqlite://', 'sqlite:///:memory:', 'sqlite+aiosqlite://']) {
    it(`takes ${url} for a database in memory`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'sqlite', file: null })
    })
  }

  for (const url of [
    '',
    'messages.db',
    './data/messages.db',
    'sqlite',
    'sqlite:',
    'sqlite:/messages.db',
    'sqlite://messages.db',
    'sqlite://host/messages.db',
    'sqlite:///',
    'sqlite+:///messages.db',
    ' sqlite:///messages.db',
    'sqlite:///messages.db\n',
    'sqlite:///messages\n.db',
    'file:///messages.db',
    'mysql://root@localhost/messages',
  ]) {
    it(`refuses ${JSON.stringify(url)}`, () => assert.equal(parseDatabaseUrl(url), null))
  }
})
