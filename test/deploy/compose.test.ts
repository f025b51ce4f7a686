// docker-compose.yml against the configuration it sets and the image it runs.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { parseDockerfile } from './dockerfile.ts'
import { readRepositoryFile } from './repository.ts'

type Service = {
  readonly build: string
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
  const [service, ...others] = Object.values(compose.services)
  assert.ok(service !== undefined)

  test('runs one service from the repository’s own Dockerfile', () => {
    assert.deepEqual([service.build, others], ['.', []])
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
    const [name = ''] = Object.keys(compose.volumes)
    assert.deepEqual(service.volumes, [`${name}:${textOf('VOLUME')}`])
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
