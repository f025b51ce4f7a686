// The generated key is one and whole, whoever else starts at that moment.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { noTracing } from '../faults/tracing.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const PROGRAM = fileURLToPath(new URL('../support/key-process.ts', import.meta.url))
const COUNT = 200
const run = promisify(execFile)

/** What each of several processes finds in many directories, begun together. */
async function foundTogether(directory: string): Promise<readonly string[][]> {
  const begin = join(directory, 'begin')
  const args = [PROGRAM, begin, directory, String(COUNT)]
  const running = Array.from({ length: 4 }, () => run(process.execPath, args))
  writeFileSync(begin, '')
  return (await Promise.all(running)).map(({ stdout }) => JSON.parse(stdout) as string[])
}

/** The key in the one file of a directory. */
function keyIn(directory: string): string {
  assert.deepEqual(readdirSync(directory), ['api-key'])
  const file = join(directory, 'api-key')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const key = readFileSync(file, 'utf8').trim()
  assert.match(key, /^wk_[\w-]{43}$/)
  return key
}

test('processes that start at one moment agree on one key, and never see half of it', async (t) => {
  const directory = temporaryDirectory(t)
  const keys = await foundTogether(directory)
  for (let i = 0; i < COUNT; i++) {
    const key = keyIn(join(directory, String(i)))
    const others = keys.filter((each) => each[i] !== key)
    assert.deepEqual(others, [])
  }
})

for (const error of ['EPERM', 'EOPNOTSUPP', 'ENOSYS']) {
  test(`a file system without hard links (${error}) gets a key too`, {
    skip: noTracing,
  }, async (t) => {
    const directory = temporaryDirectory(t)
    const log = join(directory, 'trace')
    const inject = ['-e', 'trace=link,linkat', '-e', `inject=link,linkat:error=${error}`]
    const program = [process.execPath, PROGRAM, log, directory, '1']
    const { stdout } = await run('strace', ['-f', '-o', log, ...inject, ...program])
    assert.match(readFileSync(log, 'utf8'), /INJECTED/)
    assert.deepEqual(JSON.parse(stdout), [keyIn(join(directory, '0'))])
  })
}
