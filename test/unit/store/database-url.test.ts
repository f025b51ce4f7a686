import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDatabaseUrl, wantedDatabaseUrl } from '../../../src/app/store/database-url.ts'

describe('parseDatabaseUrl', () => {
  for (const [url, file] of [
    ['sqlite:///./data/messages.db', './data/messages.db'],
    ['sqlite:///messages.db', 'messages.db'],
    ['sqlite:////var/lib/messages.db', '/var/lib/messages.db'],
    ['sqlite:///../with space/é.db', '../with space/é.db'],
    ['sqlite:///a:b@c.db', 'a:b@c.db'],
    ['sqlite:///~messages.db', '~messages.db'],
    ['sqlite:///data/~/messages.db', 'data/~/messages.db'],
    ['sqlite+aiosqlite:///messages.db', 'messages.db'],
    ['sqlite+pysqlite:////var/lib/messages.db', '/var/lib/messages.db'],
  ] as const) {
    it(`takes ${url} for the file ${file}`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'sqlite', file })
    })
  }

  for (const url of ['sqlite://', 'sqlite:///:memory:', 'sqlite+aiosqlite://']) {
    it(`takes ${url} for a temporary one`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'sqlite', file: null })
    })
  }

  for (const [url, driverUrl] of [
    ['postgresql://u:p@db/app', 'postgresql://u:p@db/app?uselibpqcompat=true'],
    ['postgres://u@db:6543/app', 'postgresql://u@db:6543/app?uselibpqcompat=true'],
    ['postgresql+asyncpg://db/app', 'postgresql://db/app?uselibpqcompat=true'],
    [
      'postgresql://u:p%40ss@db/app?sslmode=verify-full&sslrootcert=ca.pem',
      'postgresql://u:p%40ss@db/app?sslmode=verify-full&sslrootcert=ca.pem&uselibpqcompat=true',
    ],
    [
      'postgresql:///app?host=/run/postgresql&port=6543&user=u',
      'postgresql:///app?host=%2Frun%2Fpostgresql&port=6543&user=u&uselibpqcompat=true',
    ],
    [
      'postgresql://db/app?connect_timeout=10&application_name=a&options=-csearch_path%3Db',
      'postgresql://db/app?connect_timeout=10&application_name=a&options=-csearch_path%3Db&uselibpqcompat=true',
    ],
  ] as const) {
    it(`takes ${url} for PostgreSQL`, () => {
      assert.deepEqual(parseDatabaseUrl(url), { engine: 'postgresql', url: driverUrl })
    })
  }

  for (const url of [
    '',
    'postgresql:/db/app',
    'postgresql://',
    'postgresql://db:port/app',
    'postgresql://db/app?sslmode=prefer',
    'postgresql://db/app?sslmode=',
    'postgresql://db/app?sslmod=verify-full',
    'postgresql://db/app?SSLMODE=require',
    'postgresql://db/app?sslmode=verify-full&sslmode=disable',
    'postgresql://db/app?sslrootcert=',
    'postgresql://db/app?ssl=require',
    'postgresql://db/app?uselibpqcompat=false',
    'postgresql://user:12/word@db/app',
    'postgresql://user:12?word@db/app',
    'postgresql://user:12#word@db/app',
    'postgresql://db/app#part',
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
    'sqlite:////src.db?check_same_thread=false',
    'sqlite+aiosqlite:///:memory:?cache=shared',
    'sqlite://?cache=shared',
    'sqlite:///what?.db',
    'sqlite:///~/messages.db',
    'sqlite:////~/messages.db',
    'sqlite:///~canary/messages.db',
    'sqlite:///~',
    'file:///messages.db',
    'mysql://root@localhost/messages',
  ]) {
    it(`refuses ${JSON.stringify(url)}`, () => assert.equal(parseDatabaseUrl(url), null))
  }
})

describe('wantedDatabaseUrl', () => {
  const MODES =
    'a PostgreSQL URL with sslmode=disable, require, verify-ca or verify-full, or without it'
  const ESCAPED =
    'a URL whose user and password have %2F, %3F and %23 in the place of each /, ? and #'
  const ANY =
    'a URL such as sqlite:///./data/messages.db or postgresql://user:password@host/database?sslmode=verify-full'
  const unknown = (name: string) =>
    `a PostgreSQL URL with parameters that are known here: ${name} is none of application_name, connect_timeout, host, options, port, sslcert, sslkey, sslmode, sslrootcert, user`
  const NO_PARAMETERS =
    "a SQLite URL without parameters, such as sqlite:////var/lib/messages.db: the file's name may not hold a ?"
  const WHOLE_PATH =
    'a SQLite URL with the path of a directory in the place of ~, which means none here'
  for (const [url, wanted] of [
    ['postgresql://u:canary@db/app?sslmode=prefer', `${MODES}: prefer is not supported`],
    ['postgres://u:canary@db/app?sslmode=allow&user=b', `${MODES}: allow is not supported`],
    ['postgresql+asyncpg://u:canary@db/app?sslmode=canary', MODES],
    ['postgresql://u:canary#1@db/app', ESCAPED],
    ['postgresql://u:12#canary@db/app?sslmode=prefer', ESCAPED],
    ['postgresql://u:canary/1@db/app', ESCAPED],
    ['postgresql://u:canary?1@db/app', ESCAPED],
    ['postgresql://u:12/canary@db/app', ESCAPED],
    ['postgresql://u:12?canary@db/app', ESCAPED],
    ['postgresql://u:12?can=ary@db/app', ESCAPED],
    ['postgresql://u:canary@db/app?sslmod=verify-full', unknown('sslmod')],
    ['postgresql://u:canary@db/app?SSLMODE=canary', unknown('SSLMODE')],
    ['postgresql://db/app?channel_binding=require', unknown('channel_binding')],
    ['postgresql://db/app?target_session_attrs=any', unknown('target_session_attrs')],
    ['postgresql://db/app?statement_timeout=1', unknown('statement_timeout')],
    ['postgresql://db/app?user=u&password=a&canary=', unknown('password')],
    ['postgresql://db/app?%0Acanary=', unknown('one of them')],
    [
      'postgresql://u:canary@db/app?sslmode=verify-full&sslmode=disable',
      'a PostgreSQL URL with each parameter once, and not sslmode twice',
    ],
    [
      'postgresql://u:canary@db/app?sslrootcert=',
      'a PostgreSQL URL with a value for sslrootcert, or without it',
    ],
    ['postgresql://u:canary@db:port/app', ANY],
    ['mysql://u:canary#1@db/app', ANY],
    ['sqlite://canary', ANY],
    ['sqlite:////canary.db?check_same_thread=false', NO_PARAMETERS],
    ['sqlite+aiosqlite://?cache=canary', NO_PARAMETERS],
    ['sqlite:///~/canary.db', WHOLE_PATH],
    ['sqlite:///~canary/messages.db', WHOLE_PATH],
  ] as const) {
    it(`says of ${url} what is wanted, and shows nothing of it`, () => {
      assert.equal(parseDatabaseUrl(url), null)
      assert.equal(wantedDatabaseUrl(url), wanted)
      assert.doesNotMatch(wanted, /canary/)
    })
  }
})
