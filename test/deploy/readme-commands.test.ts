// The commands the README gives for a first message, as they stand there: only the port differs.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ROOT, readRepositoryFile } from './repository.ts'

const readme = readRepositoryFile('README.md')
const run = promisify(execFile)
const missing = ['curl', 'openssl'].filter((command) => !exists(command))

function exists(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

type Service = { readonly child: ChildProcess; readonly port: string }

/** The service in `directory`, as npm start runs it, on a port that is free. */
async function start(directory: string, environment: Record<string, string>): Promise<Service> {
  const { WEBHOOK_SECRET: _, ...inherited } = process.env
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'serve', '--init'], {
    cwd: directory,
    env: { ...inherited, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let log = ''
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log += text
      const [, known] = /"port":(\d+)/.exec(log) ?? []
      if (known !== undefined) resolve(known)
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`It ended with ${code}: ${log}`)))
  })
  return { child, port }
}

async function stop({ child }: Service): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

describe('the commands of the README', { skip: missing.length > 0 && `needs ${missing}` }, () => {
  let directory: string

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'readme-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  const shell = async (script: string, port: string) => {
    const options = { cwd: directory, encoding: 'utf8' } as const
    const { stdout } = await run('sh', ['-euc', script.replaceAll(':8000', `:${port}`)], options)
    return stdout
  }

  test('send a signed message and find it', async () => {
    const [, script = ''] = /^```sh\n([^`]*openssl dgst.*?)^```$/ms.exec(readme) ?? []
    const service = await start(directory, {})
    try {
      const answers = await shell(script, service.port)
      assert.ok(answers.startsWith('{"status":"ok"}'), answers)
      const { data, total } = JSON.parse(answers.slice('{"status":"ok"}'.length))
      assert.deepEqual([total, data[0].text], [1, 'Hello there'])
    } finally {
      await stop(service)
    }
  })

  test('read with the generated key', async () => {
    const [, script = ''] = /`(curl [^`]*api-key[^`]*)`/.exec(readme) ?? []
    const service = await start(directory, { READ_ACCESS: 'keys' })
    try {
      assert.equal(JSON.parse(await shell(script, service.port)).total, 1)
      const without = script.replace(/-H "[^"]*"/, '')
      assert.match(await shell(without, service.port), /^\{"detail":"This needs an API key/)
    } finally {
      await stop(service)
    }
  })
})
