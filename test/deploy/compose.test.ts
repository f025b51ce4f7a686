// docker-compose.yml against the configuration it sets and the image it runs.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { readConfig, SETTING_DOCS } from '../../src/app/config.ts'
import { parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { parseDockerfile } from './dockerfile.ts'
import { readRepositoryFile } from './repository.ts'

type Service = {
  readonly build?: string
  readonly image: string
  readonly profiles?: readonly string[]
  readonly user?: string
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly read_only: boolean
  readonly tmpfs?: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly restart: string
  readonly stop_grace_period: string
  readonly healthcheck: Readonly<Record<string, unknown>> & { readonly test?: readonly string[] }
}

const text = readRepositoryFile('docker-compose.yml')
const compose = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, unknown>>
}
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
    const required = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name)
    assert.deepEqual(required, ['WEBHOOK_SECRET'])
  })

  test('keeps the database in a volume of its own, where PostgreSQL 18 has it', () => {
    assert.equal(postgres.image, 'postgres:18')
    assert.deepEqual(postgres.volumes, ['postgres:/var/lib/postgresql'])
    assert.ok('postgres' in compose.volumes)
    assert.notEqual(postgres.user?.split(':')[0] ?? '0', '0')
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
    const configuration = readRepositoryFile(file)
    assert.match(configuration, new RegExp(`^    bind :${textOf('EXPOSE')}$`, 'm'))
    const [, places, host = '', port] =
      /^ {4}server-template \w+ (\d+) (\w+):(\d+) check /m.exec(configuration) ?? []
    assert.equal(compose.services[host], replica)
    assert.equal(port, textOf('EXPOSE'))
    assert.ok(Number(places) >= (replica.deploy?.replicas ?? 0))
  })

  test('leaves the proxy more time to stop than it takes', () => {
    const [, seconds] =
      /^ {4}hard-stop-after (\d+)s$/m.exec(readRepositoryFile('deploy/haproxy.cfg')) ?? []
    assert.ok(secondsOf(proxy.stop_grace_period) > Number(seconds))
  })
})

describe('the service "migrate" of docker-compose.yml', () => {
  const { webhook, replica, migrate } = compose.services
  assert.ok(webhook && replica && migrate)
  const [node, main, name, from = '', to = ''] = migrate.command ?? []
  const target = replica.environment?.['DATABASE_URL'] ?? ''

  test('copies what the one service stored into the database of the replicas', () => {
    const command: string[] = JSON.parse(textOf('CMD'))
    assert.deepEqual([node, main, name], [...command.slice(0, -1), 'migrate-store'])
    assert.equal(textOf('ENV').includes(`DATABASE_URL=${from} `), true)
    assert.equal(to, target.replace(/:\$\{[^}]*\}@/, '@'))
    for (const url of [from, to]) assert.ok(parseDatabaseUrl(url), url)
  })

  test('reaches both, and nothing else', () => {
    assert.deepEqual(migrate.volumes, webhook.volumes)
    assert.deepEqual(migrate.networks, ['database'])
    assert.deepEqual(migrate.depends_on, replica.depends_on)
    assert.equal(migrate.ports, undefined)
  })

  test('gets the password by the environment, and no other secret', () => {
    const [, password] = /:(\$\{[^}]*\})@/.exec(target) ?? []
    assert.deepEqual(migrate.environment, { PGPASSWORD: password })
  })

  test('runs when it is named, and once', () => {
    assert.deepEqual(migrate.profiles, ['migrate'])
    assert.equal(migrate.build, webhook.build)
    assert.equal(migrate.restart, 'no')
  })
})

describe('the way from SQLite to the profile "postgres" in docs/deployment.md', () => {
  const [section = ''] =
    /^## With docker compose and PostgreSQL$.*?(?=^## )/ms.exec(
      readRepositoryFile('docs/deployment.md'),
    ) ?? []
  const commands = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, lines = '']) =>
    lines.trimEnd().split('\n'),
  )

  test('stops the one service, copies, and only then starts replicas', () => {
    const steps = [
      'docker compose down',
      'docker compose --profile postgres run --build --rm migrate',
      'docker compose --profile postgres up --detach --build --wait proxy',
    ]
    assert.deepEqual(
      commands.filter((line) => line.startsWith('docker compose')),
      steps,
    )
  })

  test('is where the guide to PostgreSQL sends whoever runs docker compose', () => {
    assert.match(
      readRepositoryFile('docs/scaling.md'),
      /\(deployment\.md#with-docker-compose-and-postgresql\)/,
    )
  })
})
