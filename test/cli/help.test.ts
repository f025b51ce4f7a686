import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { type CommandResult, runCommand, spawnMain } from '../support/run-command.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const COMMANDS = [
  ...['serve', 'send', 'sign', 'simulate', 'doctor', 'demo', 'verify', 'backup', 'export'],
  'migrate-store',
]

describe('the command line', { concurrency: 2 }, () => {
  it('lists every command and says what its own options are', async (test) => {
    const run = runnerIn(temporaryDirectory(test))
    const general = await run(['--help'])
    assert.equal(general.code, 0)
    assert.equal(general.stderr, '')
    for (const name of COMMANDS) assert.match(general.stdout, new RegExp(`^  ${name} +\\w`, 'm'))
    for (const code of [0, 1, 2, 78]) {
      assert.match(general.stdout, new RegExp(`^Exit codes: [^.]*\\b${code} `, 'm'))
    }
    assert.deepEqual(await run(['-h']), general)
  })

  for (const name of COMMANDS) {
    it(`explains ${name} on stdout, whatever else stands beside --help`, async (test) => {
      const run = runnerIn(temporaryDirectory(test))
      const { code, stdout, stderr } = await run([name, '--unknown', '--help'])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      assert.ok(stdout.startsWith(`Usage: node src/main.ts ${name}`), stdout)
      assert.match(stdout, /^Exit codes: 0 /m)
    })
  }

  it('shows the version of the package', async (test) => {
    const run = runnerIn(temporaryDirectory(test))
    const { stdout, code } = await run(['--version'])
    const file = new URL('../../package.json', import.meta.url)
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
    assert.deepEqual({ stdout, code }, { stdout: `${version}\n`, code: 0 })
  })

  const misused: readonly [string, readonly string[], RegExp][] = [
    ['no command', [], /no command; try --help/],
    ['an unknown command', ['launch'], /"launch"; try --help/],
    ['an unknown option', ['serve', '--fast'], /Unknown option '--fast'; try --help/],
    ['an argument too many', ['verify', 'data.db'], /"data\.db"/],
    ['no file to write to', ['backup'], /FILE/],
    ['two files to write to', ['backup', 'a', 'b'], /"b"/],
    ['no format', ['export'], /--format/],
    ['an unknown format', ['export', '--format', 'xml'], /--format should be ndjson or csv/],
    ['an unknown order', ['export', '--format', 'csv', '--order', 'up'], /--order/],
    ['a time that is none', ['export', '--format', 'csv', '--since', '2025'], /--since: /],
    ['raw NDJSON', ['export', '--format', 'ndjson', '--raw'], /--raw/],
    ['--force without a file', ['export', '--format', 'csv', '--force'], /--output/],
    ['no number', ['send', '--count', 'many'], /--count should be a whole number/],
    ['half a message', ['send', '--count', '1.5'], /--count/],
    ['a rate of nothing', ['send', '--count', '1', '--rate', '0'], /--rate/],
    ['a rate of one message', ['send', '--rate', '5'], /--rate needs --count/],
    ['one id for many', ['send', '--count', '2', '--id', 'a'], /--id/],
    ['an address that is none', ['send', '--url', 'localhost'], /--url/],
    ['no secret to send with', ['send'], /WEBHOOK_SECRET/],
    ['no secret to sign with', ['sign'], /WEBHOOK_SECRET/],
    ['no database', ['verify'], /no database at \.\/data\/messages\.db/],
    ['a temporary database', ['verify', '--database', 'sqlite://'], /temporary/],
    ['a public address that is none', ['doctor', '--public-url', 'host'], /^--public-url should/],
    [
      'a database that would be its own copy',
      ['migrate-store', 'sqlite:///a', 'sqlite:///./a'],
      /same/,
    ],
    ['a path for a URL', ['verify', '--database', 'messages.db'], /--database/],
  ]
  for (const [what, args, sentence] of misused) {
    it(`ends with 2 and one sentence on stderr for ${what}`, async (test) => {
      const run = runnerIn(temporaryDirectory(test))
      assertRefused(await run(args), 2, sentence)
    })
  }

  it('ends with 2 for a configuration with faults', async (test) => {
    const run = runnerIn(temporaryDirectory(test))
    assertRefused(await run(['verify'], { PORT: 'eighty' }), 2, /^PORT should be/)
  })

  it('ends with 1 and one sentence where its results cannot be written', async (test) => {
    const cwd = temporaryDirectory(test)
    writeFileSync(join(cwd, 'results'), '')
    const readOnly = openSync(join(cwd, 'results'), 'r')
    const child = spawnMain(['--version'], { cwd }, ['ignore', readOnly, 'pipe'])
    assert.ok(child.stderr)
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    closeSync(readOnly)
    assert.equal(code, 1)
    assert.equal(stderr, "The results can't be written (EBADF).\n")
  })

  it('ends with 1 where what it needs cannot be read', async (test) => {
    const run = runnerIn(temporaryDirectory(test))
    const secret = { WEBHOOK_SECRET: 'secret' }
    assertRefused(await run(['sign', 'missing'], secret), 1, /missing.*ENOENT/)
  })
})

function runnerIn(cwd: string) {
  return (args: readonly string[], environment = {}) => runCommand(args, { cwd, environment })
}

function assertRefused(result: CommandResult, code: number, sentence: RegExp): void {
  assert.equal(result.code, code, result.stderr)
  assert.equal(result.stdout, '')
  assert.match(result.stderr, sentence)
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr)
}
