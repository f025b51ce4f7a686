// docker-compose.yml against the configuration it sets and the image it runs.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readConfig, SETTING_DOCS } from '../../src/app/config.ts'
import { compose, composeText } from './compose-file.ts'
import { parseDockerfile } from './dockerfile.ts'
import { readRepositoryFile } from './repository.ts'

/** What PostgreSQL takes by default, and what is left of it for a backup and for commands. */
const POSTGRES_CONNECTIONS = 100
const SPARE_CONNECTIONS = 5

const guide = readRepositoryFile('docs/deployment.md')
const proxyConfiguration = readRepositoryFile('deploy/haproxy.cfg')
const image = parseDockerfile(readRepositoryFile('Dockerfile')).at(-1)
const textOf = (name: string) => image?.instructions.find((one) => one.name === name)?.text ?? ''
const fallbackOf = (name: string) =>
  SETTING_DOCS.find((setting) => setting.name === name)?.fallback ?? ''
const secondsOf = (duration: string) => Number(/^(\d+)s$/.exec(duration)?.[1])

describe('docker-compose.yml', () => {
  const [service, ...others] = Object.values(compose.services).filter(
    ({ profiles }) => profiles === undefined,
  )
  assert.ok(service?.environment !== undefined)
  const { environment } = service

  test('runs without a profile one service from the repository’s own Dockerfile', () => {
    assert.deepEqual([service.build, others], ['.', []])
  })

  test('passes every setting through but those that the container fixes', () => {
    const fixed = ['DATABASE_URL', 'HOST', 'PORT', 'SHUTDOWN_TIMEOUT']
    const open = SETTING_DOCS.map(({ name }) => name).filter((name) => !fixed.includes(name))
    assert.deepEqual(Object.keys(environment).sort(), open.sort())
  })

  test('does not start without a secret, and holds none itself', () => {
    const { WEBHOOK_SECRET, ...rest } = environment
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

  for (const [name, one] of Object.entries(compose.services)) {
    test(`takes from ${name} what it does not need`, () => {
      assert.equal(one.read_only, true)
      assert.deepEqual(one.cap_drop, ['ALL'])
      assert.deepEqual(one.security_opt, ['no-new-privileges:true'])
      // A dump of the memory has messages and secrets in it.
      assert.deepEqual(one.ulimits, { core: 0 })
      assert.equal(one.restart, name === 'migrate' ? 'no' : 'unless-stopped')
    })
  }

  test('gives the service a place for temporary files', () => {
    assert.deepEqual(service.tmpfs, ['/tmp'])
  })

  test('leaves the service more time to stop than it takes', () => {
    assert.ok(secondsOf(service.stop_grace_period) > Number(fallbackOf('SHUTDOWN_TIMEOUT')))
    // Were the time-out passed through, it could be set to more than the grace.
    assert.equal('SHUTDOWN_TIMEOUT' in environment, false)
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
  const { webhook, replica, postgres, proxy } = compose.services
  assert.ok(webhook && replica && postgres && proxy)

  test('is what everything beside the one service and the copying belongs to', () => {
    const others = ['proxy', 'replica', 'migrate', 'postgres']
    assert.deepEqual(Object.keys(compose.services), ['webhook', ...others])
    for (const one of [replica, postgres, proxy]) assert.deepEqual(one.profiles, ['postgres'])
  })

  test('runs several replicas that differ from the one service only in where they store', () => {
    const { profiles, depends_on, deploy, networks, ...own } = replica
    const { ports, volumes, ...rest } = webhook
    const { DATABASE_URL, ...environment } = own.environment ?? {}
    assert.deepEqual({ ...own, environment }, rest)
    assert.ok((deploy?.replicas ?? 0) > 1)
  })

  test('gives the replicas the database by a URL that the service takes', () => {
    const url = replica.environment?.['DATABASE_URL'] ?? ''
    const { hostname, username, pathname } = new URL(url.replace(/\$\{[^}]*\}/, 'secret'))
    assert.equal(compose.services[hostname], postgres)
    assert.equal(username, postgres.environment?.['POSTGRES_USER'])
    assert.equal(pathname, `/${postgres.environment?.['POSTGRES_DB']}`)
    assert.equal(readConfig({ DATABASE_URL: url }).databaseUrl.engine, 'postgresql')
  })

  test('holds no password, and asks for one only where the profile is used', () => {
    // Compose fills in the variables of every service, also of those that it does not start.
    assert.match(postgres.environment?.['POSTGRES_PASSWORD'] ?? '', /^\$\{POSTGRES_PASSWORD:-\}$/)
    assert.match(replica.environment?.['DATABASE_URL'] ?? '', /:\$\{POSTGRES_PASSWORD:-\}@/)
    const required = [...composeText.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name)
    assert.deepEqual(required, ['WEBHOOK_SECRET'])
  })

  test('keeps the database in a volume of its own, where PostgreSQL 18 has it', () => {
    assert.equal(postgres.image, 'postgres:18')
    assert.deepEqual(postgres.volumes, ['postgres:/var/lib/postgresql'])
    assert.ok('postgres' in compose.volumes)
    assert.notEqual(postgres.user?.split(':')[0] ?? '0', '0')
  })

  test('gives the database’s user its socket directory, whatever the image lets others do there', () => {
    const [uid, gid] = postgres.user?.split(':') ?? []
    assert.deepEqual(postgres.tmpfs, ['/tmp', `/var/run/postgresql:uid=${uid},gid=${gid}`])
  })

  test('makes the database with an encoding and an order that no image or LANG decides', () => {
    const initdb = postgres.environment?.['POSTGRES_INITDB_ARGS']?.split(' ') ?? []
    assert.deepEqual(initdb.toSorted(), [
      '--builtin-locale=C.UTF-8',
      '--encoding=UTF8',
      '--locale-provider=builtin',
    ])
  })

  test('lets only the proxy be reached, and only the replicas reach the database', () => {
    assert.deepEqual([replica.ports, postgres.ports], [undefined, undefined])
    assert.deepEqual(proxy.ports, webhook.ports)
    assert.deepEqual(replica.networks, ['front', 'database'])
    assert.deepEqual([proxy.networks, postgres.networks], [['front'], ['database']])
    assert.equal(compose.networks['database']?.internal, true)
  })

  test('starts each when what it needs is there', () => {
    assert.deepEqual(proxy.depends_on, { replica: { condition: 'service_healthy' } })
    assert.deepEqual(replica.depends_on, { postgres: { condition: 'service_healthy' } })
  })

  test('gives the proxy a configuration that is there and leads to the replicas', () => {
    const [[file = '', , mode] = []] = (proxy.volumes ?? []).map((volume) => volume.split(':'))
    assert.equal(mode, 'ro')
    assert.equal(readRepositoryFile(file), proxyConfiguration)
    assert.match(proxyConfiguration, new RegExp(`^    bind :${textOf('EXPOSE')}$`, 'm'))
    const [, places, host = '', port] =
      /^ {4}server-template \w+ (\d+) (\w+):(\d+) check /m.exec(proxyConfiguration) ?? []
    assert.equal(compose.services[host], replica)
    assert.equal(port, textOf('EXPOSE'))
    assert.ok(Number(places) >= (replica.deploy?.replicas ?? 0))
  })

  test('has places for no more replicas than PostgreSQL has connections for, and some to spare', () => {
    const [, places = ''] = /^ {4}server-template \w+ (\d+) /m.exec(proxyConfiguration) ?? []
    const most = Number(places) * Number(fallbackOf('DATABASE_POOL_SIZE'))
    assert.ok(most + SPARE_CONNECTIONS <= POSTGRES_CONNECTIONS, `${most} connections`)
    const [, said = ''] = /`--scale replica=\d+` runs more, up to (\d+)/.exec(guide) ?? []
    assert.equal(said, places)
  })

  test('leaves the proxy more time to stop than it takes', () => {
    const [, seconds] = /^ {4}hard-stop-after (\d+)s$/m.exec(proxyConfiguration) ?? []
    assert.ok(secondsOf(proxy.stop_grace_period) > Number(seconds))
  })
})
