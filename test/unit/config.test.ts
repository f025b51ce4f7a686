import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Config, type Environment, readConfig, SETTING_DOCS } from '../../src/app/config.ts'
import { ConfigurationError } from '../../src/app/errors.ts'

/** The lines of the refusal. */
function problemsOf(environment: Environment): string[] {
  try {
    readConfig(environment)
  } catch (error) {
    assert.ok(error instanceof ConfigurationError)
    return error.message.split('\n')
  }
  return []
}

const value = <Name extends keyof Config>(name: Name, environment: Environment) =>
  readConfig(environment)[name]

test('an empty environment takes every default', () => {
  assert.deepEqual(readConfig({}), {
    webhookSecrets: [],
    metaAppSecrets: [],
    metaVerifyToken: '',
    rawRetentionDays: 30,
    quarantineMaxRequests: 100,
    quarantineMaxBytes: 1024 * 1024,
    databaseUrl: { engine: 'sqlite', file: './data/messages.db' },
    databasePoolSize: 10,
    host: '0.0.0.0',
    port: 8000,
    readAccess: 'keys',
    apiKeys: [],
    maxBodyBytes: 4 * 1024 * 1024,
    queueMaxRequests: 1000,
    queueMaxBytes: 32 * 1024 * 1024,
    maxConnections: 10_000,
    shutdownTimeoutMs: 10_000,
    logLevel: 'info',
    logFormat: 'json',
    debug: false,
    appName: 'WhatsApp Webhook Service',
    appVersion: '0.1.0',
  })
})

test('an empty or blank variable is one that is not set', () => {
  const names = SETTING_DOCS.map(({ name }) => name)
  for (const blank of ['', ' ', '\t\n']) {
    const environment = Object.fromEntries(names.map((name) => [name, blank]))
    assert.deepEqual(readConfig(environment), readConfig({}))
  }
})

test('the documented defaults are the ones that are taken', () => {
  const documented = Object.fromEntries(SETTING_DOCS.map(({ name, fallback }) => [name, fallback]))
  assert.deepEqual(readConfig(documented), readConfig({}))
  assert.ok(SETTING_DOCS.every(({ description }) => description.length > 10))
})

test('the configuration can not be changed', () => {
  const config = readConfig({}) as { port: number }
  assert.throws(() => {
    config.port = 1
  }, TypeError)
})

test('every problem is reported at once, by name and without the value', () => {
  const problems = problemsOf({
    DATABASE_URL: 'canary://user:canary@host',
    PORT: 'canary',
    READ_ACCESS: 'canary',
    API_KEYS: 'canary',
    MAX_BODY_BYTES: 'canary',
    QUEUE_MAX_REQUESTS: 'canary',
    QUEUE_MAX_BYTES: 'canary',
    MAX_CONNECTIONS: 'canary',
    SHUTDOWN_TIMEOUT: 'canary',
    LOG_LEVEL: 'canary',
    LOG_FORMAT: 'canary',
    DEBUG: 'canary',
  })
  assert.deepEqual(
    problems.map((line) => line.split(' ')[0]),
    [
      'DATABASE_URL',
      'PORT',
      'READ_ACCESS',
      'API_KEYS',
      'MAX_BODY_BYTES',
      'QUEUE_MAX_REQUESTS',
      'QUEUE_MAX_BYTES',
      'MAX_CONNECTIONS',
      'SHUTDOWN_TIMEOUT',
      'LOG_LEVEL',
      'LOG_FORMAT',
      'DEBUG',
    ],
  )
  for (const line of problems) {
    assert.match(line, /^[A-Z_]+ should be .+\.$/)
    assert.doesNotMatch(line, /canary/)
  }
})

test('a mode of encryption that is not supported is named, beside those that are', () => {
  assert.deepEqual(problemsOf({ DATABASE_URL: 'postgresql://u:canary@host/db?sslmode=prefer' }), [
    'DATABASE_URL should be a PostgreSQL URL with sslmode=disable, require, verify-ca or verify-full, or without it: prefer is not supported.',
  ])
})

test('numbers are whole, in their bounds, and nothing else', () => {
  const bounds = [
    ['PORT', 0, 65_535],
    ['MAX_CONNECTIONS', 1, 1_000_000],
    ['QUEUE_MAX_REQUESTS', 1, 1_000_000],
    ['SHUTDOWN_TIMEOUT', 0, 3600],
  ] as const
  for (const [name, least, most] of bounds) {
    for (const number of [least, most]) assert.deepEqual(problemsOf({ [name]: `${number}` }), [])
    for (const text of [least - 1, most + 1, '1.5', '1e3', '0x10', '1_000', '१', '1 000', 'NaN']) {
      assert.equal(problemsOf({ [name]: `${text}` }).length, 1, `${name}=${text}`)
    }
  }
  assert.equal(value('port', { PORT: ' 8080 ' }), 8080)
  assert.equal(value('shutdownTimeoutMs', { SHUTDOWN_TIMEOUT: '3' }), 3000)
})

test('secrets are a list without its empty items', () => {
  const secrets = (text: string) => value('webhookSecrets', { WEBHOOK_SECRET: text })
  assert.deepEqual(secrets('one'), ['one'])
  assert.deepEqual(secrets('one,two'), ['one', 'two'])
  assert.deepEqual(secrets(' one , ,two,\n'), ['one', 'two'])
  assert.deepEqual(secrets('one\n'), ['one'])
  assert.deepEqual(secrets(',,,'), [])
})

test('keys are pairs of a name and a key, with different names', () => {
  const keys = (text: string) => value('apiKeys', { API_KEYS: text })
  assert.deepEqual(keys('a:1'), [{ name: 'a', key: '1' }])
  assert.deepEqual(keys(' a : 1 , b:2:3 ,'), [
    { name: 'a', key: '1' },
    { name: 'b', key: '2:3' },
  ])
  for (const wrong of ['key', ':key', 'a:', 'a: ', 'a:1,a:2', 'a:1,b', 'a:1 2', 'a:é']) {
    assert.equal(problemsOf({ API_KEYS: wrong }).length, 1, wrong)
  }
})

test('levels are known by all their names, in upper and lower case', () => {
  const names: Readonly<Record<string, string>> = {
    DEBUG: 'debug',
    Info: 'info',
    warn: 'warn',
    WARNING: 'warn',
    ERROR: 'error',
    critical: 'fatal',
    fatal: 'fatal',
    silent: 'silent',
  }
  for (const [name, level] of Object.entries(names)) {
    assert.equal(value('logLevel', { LOG_LEVEL: name }), level)
  }
})

test('DEBUG logs at level debug, unless LOG_LEVEL says otherwise', () => {
  for (const yes of ['true', '1', 'yes', 'on', 'TRUE', 'True']) {
    assert.equal(value('logLevel', { DEBUG: yes }), 'debug')
    assert.equal(value('debug', { DEBUG: yes }), true)
  }
  for (const no of ['false', '0', 'no', 'off', 'False']) {
    assert.equal(value('logLevel', { DEBUG: no }), 'info')
  }
  assert.equal(value('logLevel', { DEBUG: 'true', LOG_LEVEL: 'error' }), 'error')
  assert.equal(value('logLevel', { DEBUG: 'true', LOG_LEVEL: ' ' }), 'debug')
})

test('what fits into no queue is not taken as a body either', () => {
  assert.deepEqual(problemsOf({ MAX_BODY_BYTES: '1001', QUEUE_MAX_BYTES: '1000' }), [
    'QUEUE_MAX_BYTES should be at least MAX_BODY_BYTES, or a large message would never be stored.',
  ])
  assert.deepEqual(problemsOf({ MAX_BODY_BYTES: '1000', QUEUE_MAX_BYTES: '1000' }), [])
})

test('a size that is none is one problem, and is not compared', () => {
  const none = 'should be a number of bytes from 1 to 1073741824.'
  assert.deepEqual(problemsOf({ QUEUE_MAX_BYTES: 'abc' }), [`QUEUE_MAX_BYTES ${none}`])
  assert.deepEqual(problemsOf({ MAX_BODY_BYTES: 'abc' }), [`MAX_BODY_BYTES ${none}`])
})

test('no environment makes the configuration throw anything but its own error', () => {
  const names = fc.constantFrom(...SETTING_DOCS.map(({ name }) => name), '__proto__', 'OTHER')
  const environment = fc.dictionary(names, fc.oneof(fc.string(), fc.constantFrom('1', 'true', ',')))
  fc.assert(fc.property(environment, (variables) => void problemsOf(variables)))
})
