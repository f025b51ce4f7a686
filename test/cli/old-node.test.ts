// What a Node.js says that is too old for the service: the entry, which such a one can read, with the
// process of one around it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'

const ENTRY = readFileSync(new URL('../../src/main.cjs', import.meta.url), 'utf8')
const BEGINNING =
  'This service needs Node.js 24.15 or newer, and this is v20.20.2. Install one, or use the one that "npm ci" has brought: '
const RUN = 'npm exec -- node src/main.ts'

/** The command that is advised to who gave these arguments. */
function adviceTo(...args: string[]): string {
  const said: string[] = []
  const ended = new Error('The process has ended.')
  const exit = (code: number) => {
    assert.equal(code, 78)
    throw ended
  }
  const argv = ['node', 'src/main.ts', ...args]
  const process = { argv, exit, version: 'v20.20.2', versions: { node: '20.20.2' } }
  const console = { error: (line: string) => said.push(line) }
  assert.throws(() => runInNewContext(ENTRY, { process, console }), ended)
  const [line = ''] = said
  assert.ok(said.length === 1 && line.startsWith(BEGINNING), line)
  return line.slice(BEGINNING.length)
}

test('one whose SQLite is too old is too old itself', () => {
  const ended = new Error('The process has ended.')
  const exit = (code: number) => {
    assert.equal(code, 78)
    throw ended
  }
  const begun = new Error('It goes on.')
  const require = () => {
    throw begun
  }
  for (const [version, expected] of [
    ['23.11.1', ended],
    ['24.14.1', ended],
    ['24.15.0', begun],
    ['26.0.0', begun],
  ] as const) {
    const versions = { node: version }
    const process = { argv: ['node', 'src/main.ts', 'serve'], exit, version, versions, env: {} }
    const console = { error: () => {} }
    const run = () => runInNewContext(ENTRY, { process, console, require })
    assert.throws(run, (error) => error === expected, version)
  }
})

test('the service is started by npm start', () => {
  assert.equal(adviceTo('serve'), 'npm start')
})

test('any other command is named as it was typed, ready to paste', () => {
  assert.equal(adviceTo('doctor'), `${RUN} doctor`)
  assert.equal(adviceTo('--version'), `${RUN} --version`)
  assert.equal(adviceTo(), `${RUN} --help`)
  const args = ['export', '--q', 'it\'s $HOME; `x` "*" \\ é\n', '', '--output=a/b.csv']
  const advice = adviceTo(...args)
  assert.ok(advice.startsWith(`${RUN} export --q '`), advice)
  const shell = `printf '%s\\0' ${advice.slice(RUN.length)}`
  assert.deepEqual(execFileSync('sh', ['-c', shell]).toString().split('\0').slice(0, -1), args)
})
