// The systemd unit of docs/deployment.md, against the service it runs and what systemd takes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { readRepositoryFile } from './repository.ts'

const [, unit = ''] = /^```ini\n(.*?)^```$/ms.exec(readRepositoryFile('docs/deployment.md')) ?? []
const version = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout
/** The first that judges a unit it has not loaded. */
const OLDEST_SYSTEMD = 250

/** The values of `key` in a section, in their order. */
function valuesOf(section: string, key: string): string[] {
  const [, lines = ''] =
    new RegExp(`^\\[${section}\\]$(.*?)(?=^\\[|$(?![^]))`, 'ms').exec(unit) ?? []
  return [...lines.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
}

/** The unit as a file, with a Node.js that is there. */
function unitFile(t: TestContext): string {
  const file = join(temporaryDirectory(t), 'whatsapp-webhook-service.service')
  writeFileSync(file, unit.replace('/usr/bin/node', process.execPath))
  return file
}

describe('the unit for systemd', () => {
  test('starts a service that failed again for as long as it takes, with a pause', () => {
    assert.deepEqual(valuesOf('Service', 'Restart'), ['on-failure'])
    const [pause] = valuesOf('Service', 'RestartSec')
    assert.ok(Number(pause) >= 1)
    // Or five failures within ten seconds were the last ones.
    assert.deepEqual(valuesOf('Unit', 'StartLimitIntervalSec'), ['0'])
  })

  test('does not start again what another start does not help', () => {
    assert.deepEqual(valuesOf('Service', 'RestartPreventExitStatus'), ['2 78'])
  })

  test('runs what npm start runs, with more time to stop than it takes', () => {
    const { scripts } = JSON.parse(readRepositoryFile('package.json'))
    const [command = ''] = valuesOf('Service', 'ExecStart')
    assert.equal(command.replace('/usr/bin/', ''), scripts.start.replace(/ --init$/, ''))
    const [seconds] = valuesOf('Service', 'TimeoutStopSec')
    const shutdown = SETTING_DOCS.find(({ name }) => name === 'SHUTDOWN_TIMEOUT')
    assert.ok(Number(seconds) > Number(shutdown?.fallback))
  })

  test('takes no more memory than in the image', () => {
    const [, arenas = ''] = /\bMALLOC_ARENA_MAX=(\d+)/.exec(readRepositoryFile('Dockerfile')) ?? []
    assert.ok(valuesOf('Service', 'Environment').includes(`MALLOC_ARENA_MAX=${arenas}`))
  })

  test('leaves no memory on the disk where it crashes: messages and secrets are in it', () => {
    assert.deepEqual(valuesOf('Service', 'LimitCORE'), ['0'])
  })

  const isThere = Number(/^systemd (\d+)/.exec(version ?? '')?.[1]) >= OLDEST_SYSTEMD
  const skip = !isThere && `needs systemd-analyze of systemd ${OLDEST_SYSTEMD}`
  test('gives the service no more rights than it needs, in the eyes of systemd', { skip }, (t) => {
    const file = unitFile(t)
    const judged = ['security', '--offline=true', '--no-pager', '--threshold=20', file]
    const { status, stdout } = spawnSync('systemd-analyze', judged, { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })

  test('is what systemd takes, without a word about any line', { skip }, (t) => {
    const options = { encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', unitFile(t)],
      options,
    )
    // Other units of this machine may have faults of their own.
    const said = (stdout + stderr).split('\n').filter((line) => line.includes('whatsapp-webhook'))
    assert.deepEqual({ status, said }, { status: 0, said: [] })
  })
})
