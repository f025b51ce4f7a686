// The way from SQLite to PostgreSQL with docker compose: the service that copies, and the guide to it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { compose } from './compose-file.ts'
import { parseDockerfile } from './dockerfile.ts'
import { readRepositoryFile } from './repository.ts'

const guide = readRepositoryFile('docs/deployment.md')
const image = parseDockerfile(readRepositoryFile('Dockerfile')).at(-1)
const textOf = (name: string) => image?.instructions.find((one) => one.name === name)?.text ?? ''

describe('the service "migrate" of docker-compose.yml', () => {
  const { webhook, replica, migrate } = compose.services
  assert.ok(webhook && replica && migrate)
  const [node, main, name, from = '', to = ''] = migrate.command ?? []
  const target = replica.environment?.['DATABASE_URL'] ?? ''

  test('copies what the one service stored into the database of the replicas', () => {
    const [, command = ''] = /exec (.*) serve"\]$/.exec(textOf('CMD')) ?? []
    assert.deepEqual([node, main, name], [...command.split(' '), 'migrate-store'])
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
  const [section = ''] = /^## With docker compose and PostgreSQL$.*?(?=^## )/ms.exec(guide) ?? []
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
