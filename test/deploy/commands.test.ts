// The commands of docs/deployment.md for every place where the service runs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import { readConfig } from '../../src/app/config.ts'
import { fillDatabase } from '../support/filled-database.ts'
import { flatBody } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { compose } from './compose-file.ts'
import { commandsWith, guide, shell } from './guide.ts'
import { ROOT, readRepositoryFile } from './repository.ts'

const FOLDER = '/opt/whatsapp-webhook-service'
const SETTINGS = '/etc/whatsapp-webhook-service.env'
const STATE = '/var/lib/whatsapp-webhook-service'

const [, table = ''] = /^\| Where \| Such as \|\n\| --- \| --- \|\n((?:\|.*\n)+)/m.exec(guide) ?? []
const commandOf = (place: string) =>
  new RegExp(`^\\| ${place}[^|]*\\| \`([^\`]+)\` \\|$`, 'm').exec(table)?.[1] ?? ''

describe('the commands where the service runs', () => {
  test('are one command, and differ only in how it gets there', () => {
    const rows = table.trimEnd().split('\n')
    assert.equal(rows.length, 5)
    for (const row of rows) assert.match(row, /node (--env-file=\S+ )?src\/main\.ts verify` \|$/)
  })

  test('with docker compose run in a service that has the database', () => {
    const one = /exec -T (\w+) node /.exec(commandOf('docker compose'))?.[1] ?? ''
    const replica = /--profile (\w+) exec -T (\w+) node /.exec(commandOf('docker compose with'))
    assert.deepEqual(compose.services[one]?.volumes, ['data:/data'])
    assert.deepEqual(compose.services[replica?.[2] ?? '']?.profiles, [replica?.[1]])
    assert.ok(compose.services[replica?.[2] ?? '']?.environment?.['DATABASE_URL'])
  })

  test('on Kubernetes run in the deployment, in the namespace that was created', () => {
    const command = commandOf('Kubernetes')
    const { kind, metadata } = parse(readRepositoryFile('deploy/kubernetes/deployment.yaml'))
    const [, namespace = ''] = /^kubectl create namespace (\S+)$/m.exec(guide) ?? []
    const where = `kubectl --namespace ${namespace} exec ${kind.toLowerCase()}/${metadata.name} -- `
    assert.ok(command.startsWith(where), command)
  })

  test('with systemd read the file that the unit reads, which holds every setting', () => {
    const [, unit = ''] = /^```ini\n(.*?)^```$/ms.exec(guide) ?? []
    assert.match(unit, new RegExp(`^EnvironmentFile=${SETTINGS}$`, 'm'))
    assert.match(unit, new RegExp(`^WorkingDirectory=${FOLDER}$`, 'm'))
    assert.match(unit, new RegExp(`^StateDirectory=${STATE.replace('/var/lib/', '')}$`, 'm'))
    const set = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name)
    assert.deepEqual(set, ['NODE_COMPILE_CACHE', 'MALLOC_ARENA_MAX'])
  })
})

describe('the settings for systemd', () => {
  const skip = spawnSync('openssl', ['version']).status !== 0 && 'needs openssl'
  test('are for root alone, and lead the commands to the database', { skip }, async (t) => {
    const directory = temporaryDirectory(t)
    const file = join(directory, 'service.env')
    const here = (text: string) =>
      text.replaceAll(SETTINGS, file).replaceAll(STATE, directory).replaceAll(FOLDER, ROOT)
    await shell(here(commandsWith('<<END')), { cwd: directory })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const config = readConfig(parseEnv(readFileSync(file, 'utf8')))
    assert.equal(config.webhookSecrets[0]?.length, 64)
    assert.equal(config.host, '127.0.0.1')

    await fillDatabase(join(directory, 'messages.db'), [flatBody()])
    const { stdout } = await shell(here(commandOf('systemd')), { cwd: ROOT })
    assert.match(stdout, /^1 message of 1 sender, .*: everything agrees\.$/m)
  })
})
