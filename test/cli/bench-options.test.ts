// What a benchmark says to an option that is no number: it would report NaN.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

for (const [program, ...args] of [
  // Without the check it would say what --only may be, and measure nothing either.
  ['postgres', '--rounds', 'x', '--only', 'nothing'],
  ['postgres', '--messages', '1e3x', '--only', 'nothing'],
  ['cloud-api', '--seconds', '0', '--rounds', '0'],
]) {
  test(`bench/${program}.ts ${args.join(' ')} measures nothing and says what is wanted`, () => {
    const file = fileURLToPath(new URL(`../../bench/${program}.ts`, import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /Error: --\w+ takes a whole number of at least \d+\./)
  })
}
