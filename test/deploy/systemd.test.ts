// The systemd unit of docs/deployment.md, against the service it runs and what systemd takes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { readRepositoryFile } from './repository.ts'

const [, unit = ''] = /^```ini\n(.*?)^```$/ms.exec(readRepositoryFile('docs/deployment.md')) ?? []
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

/** The values of `key` in a section, in their order. */
function valuesOf(section: string, key: string): string[] {
  const [, lines = ''] =
    new RegExp(`^\\[${section}\\]$(.*?)(?=^\\[|$(?![^]))`, 'ms').exec(unit) ?? []
  return [...lines.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
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

  const skip = !hasSystemd && 'needs systemd-analyze'
  test('is what systemd takes, without a word about any line', { skip }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'unit-'))
    try {
      const file = join(directory, 'whatsapp-webhook-service.service')
      writeFileSync(file, unit.replace('/usr/bin/node', process.execPath))
      const options = { encoding: 'utf8' } as const
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], options)
      // Other units of this machine may have faults of their own.
      const said = (stdout + stderr).split('\n').filter((line) => line.includes('whatsapp-webhook'))
      assert.deepEqual({ status, said }, { status: 0, said: [] })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
