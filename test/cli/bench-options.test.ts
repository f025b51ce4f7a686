// The command lines of the benchmarks: a wrong option measures nothing, and says what is wanted.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

function run(program: string, args: readonly string[]) {
  const file = fileURLToPath(new URL(`../../bench/${program}.ts`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const OPTIONS = {
  main: ['rounds', 'seconds', 'connections', 'messages', 'only', 'directory', 'flush-ms'],
  postgres: ['rounds', 'seconds', 'messages', 'only'],
  'cloud-api': ['rounds', 'seconds', 'postgres'],
}

for (const [program, options] of Object.entries(OPTIONS)) {
  test(`bench/${program}.ts explains itself, whatever else is asked for`, () => {
    const { status, stdout, stderr } = run(program, ['--help'])
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    assert.match(stdout, /^Usage: npm run bench\S* -- \[options\]\n/)
    for (const name of options)
      assert.match(stdout, new RegExp(`^  --${name}(?: [A-Z]+)? +\\S`, 'm'))
    assert.match(stdout, /^ {2}--rounds .*\(3\)\.$/m)
    for (const code of [0, 1, 2, 130]) {
      assert.match(stdout, new RegExp(`^Exit codes: [^.]*\\b${code} `, 'm'))
    }
    assert.deepEqual(run(program, ['--fast', '-h']), { status, stdout, stderr })
  })

  for (const [args, sentence] of [
    [['--rounds', 'x'], /^--rounds takes a whole number of at least 1\.\n$/],
    [['--seconds', '0'], /^--seconds takes a whole number of at least 1\.\n$/],
    [['--seconds', '1.5'], /^--seconds takes a whole number of at least 1\.\n$/],
    [['--fast'], /^Unknown option '--fast'; try --help\.\n$/],
    [['now'], /^"now" is one argument too many\.\n$/],
  ] as const) {
    test(`bench/${program}.ts ${args.join(' ')} ends with 2 and one sentence`, () => {
      const { status, stdout, stderr } = run(program, args)
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' })
      assert.match(stderr, sentence)
    })
  }
}

for (const [program, args, sentence] of [
  ['main', ['--messages', '1e3x'], /^--messages takes a whole number of at least 2000\.\n$/],
  ['main', ['--only', 'nothing'], /^--only should be ingest or queries\.\n$/],
  ['postgres', ['--messages', '1e3'], /^--messages takes a whole number of at least 1000\.\n$/],
  ['postgres', ['--only', 'nothing'], /^--only should be ingest or .* or queries\.\n$/],
] as const) {
  test(`bench/${program}.ts ${args.join(' ')} ends with 2 and one sentence`, () => {
    const { status, stdout, stderr } = run(program, args)
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' })
    assert.match(stderr, sentence)
  })
}
