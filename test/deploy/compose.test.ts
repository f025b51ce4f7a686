// docker-compose.yml against the configuration it sets and the image it runs.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { parseDockerfile } from './dockerfile.ts'
import { readRepositoryFile } from './repository.ts'

type Service = {
  readonly build: string
  readonly profiles?: readonly string[]
  readonly depends_on?: readonly string[]
  readonly image?: string
  readonly ports: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
  readonly read_only: boolean
  readonly tmpfs: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly restart: string
  readonly stop_grace_period: string
  readonly healthcheck: Readonly<Record<string, unknown>> & { readonly test: readonly string[] }
}

const compose = parse(readRepositoryFile('docker-compose.yml')) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const image = parseDockerfile(readRepositoryFile('Dockerfile')).at(-1)
const textOf = (name: string) => image?.instructions.find((one) => one.name === name)?.text ?? ''
const fallbackOf = (name: string) =>
  SETTING_DOCS.find((setting) => setting.name === name)?.fallback ?? ''

describe('docker-compose.yml', () => {
  const { webhook: service, ...others } = compose.services
  assert.ok(service !== undefined)

  test('runs one service from the repository’s own Dockerfile, unless a profile asks for more', () => {
    assert.equal(service.build, '.')
    for (const other of Object.values(others)) assert.deepEqual(other.profiles, ['postgres'])
  })

  test('names only variables that the configuration knows', () => {
    const known = SETTING_DOCS.map(({ name }) => name)
    const named = Object.keys(service.environment)
    assert.deepEqual(
      named.filter((name) => !known.includes(name)),
      [],
    )
  })

  test('does not start without a secret, and holds none itself', () => {
    const { WEBHOOK_SECRET, ...rest } = service.environment
    assert.match(WEBHOOK_SECRET ?? '', /^\$\{WEBHOOK_SECRET:\?.+\}$/)
    for (const [name, value] of Object.entries(rest)) assert.equal(value, `\${${name}:-}`)
  })

  test('publishes the image’s port to this machine only', () => {
    const port = textOf('EXPOSE')
    assert.deepEqual(service.ports, [`127.0.0.1:${port}:${port}`])
  })

  test('keeps the image’s volume under a name', () => {
    assert.deepEqual(service.volumes, [`data:${textOf('VOLUME')}`])
    assert.ok('data' in compose.volumes)
  })

  test('takes from the container what the service does not need', () => {
    assert.equal(service.read_only, true)
    assert.deepEqual(service.tmpfs, ['/tmp'])
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    assert.equal(service.restart, 'unless-stopped')
  })

  test('leaves the service more time to stop than it takes', () => {
    const seconds = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1])
    assert.ok(seconds > Number(fallbackOf('SHUTDOWN_TIMEOUT')))
    // Were the time-out passed through, it could be set to more than the grace.
    assert.equal('SHUTDOWN_TIMEOUT' in service.environment, false)
  })

  test('asks for health as the image does', () => {
    const text = textOf('HEALTHCHECK')
    const command: string[] = JSON.parse(text.slice(text.indexOf('[')))
    const options = Object.fromEntries(
      [...text.matchAll(/--(\S+)=(\S+)/g)].map(([, name = '', value]) => [
        name.replaceAll('-', '_'),
        value,
      ]),
    )
    const { test: healthCheck, ...rest } = service.healthcheck
    assert.deepEqual(healthCheck, ['CMD', ...command])
    assert.deepEqual({ ...rest, retries: String(rest['retries']) }, options)
  })
})

describe('the profile "postgres" of docker-compose.yml', () => {
  const { webhook, 'replica-a': replica, 'replica-b': other, proxy, postgres } = compose.services
  assert.ok(webhook && replica && other && proxy && postgres)

  test('runs two equal replicas, set up as the one service is, but for the database', () => {
    assert.deepEqual(other, replica)
    const { DATABASE_URL, DATABASE_POOL_SIZE, ...rest } = replica.environment
    assert.ok(DATABASE_POOL_SIZE !== undefined)
    assert.deepEqual(Object.keys(rest).sort(), Object.keys(webhook.environment).sort())
    const { POSTGRES_USER, POSTGRES_DB } = postgres.environment
    const password = '$' + '{POSTGRES_PASSWORD:-}'
    assert.equal(
      DATABASE_URL,
      `postgresql://${POSTGRES_USER}:${password}@postgres:5432/${POSTGRES_DB}`,
    )
    assert.equal(postgres.environment['POSTGRES_PASSWORD'], password)
    for (const name of ['read_only', 'cap_drop', 'security_opt', 'stop_grace_period'] as const) {
      assert.deepEqual(replica[name], webhook[name])
    }
  })

  test('publishes the proxy to this machine only, and nothing else', () => {
    assert.deepEqual(proxy.ports, webhook.ports)
    for (const hidden of [replica, other, postgres]) assert.equal(hidden.ports, undefined)
  })

  test('begins with everything the proxy needs, when the proxy is asked for', () => {
    assert.deepEqual(proxy.depends_on, ['replica-a', 'replica-b'])
    assert.deepEqual(replica.depends_on, ['postgres'])
    const config = readRepositoryFile('deploy/haproxy/haproxy.cfg')
    for (const name of proxy.depends_on ?? [])
      assert.match(config, new RegExp(`server ${name} ${name}:8000`))
  })
})
