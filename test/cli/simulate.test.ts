import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { APP_SECRET } from '../support/cloud-api.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { COMMIT_TIMEOUT_MS } from '../support/write-lock.ts'

const environment = { META_APP_SECRET: APP_SECRET, DATABASE_URL: 'sqlite:///messages.db' }

async function simulation(test: TestContext) {
  const cwd = temporaryDirectory(test)
  const service = await startOpenService(test, { cwd, environment })
  const simulate = (...args: string[]) =>
    runCommand(['simulate', '--url', service.url, ...args], { cwd, environment })
  return { cwd, service, simulate }
}

describe('simulate, to the real service', { concurrency: 2 }, () => {
  it('is held item for item, also when the same run comes again', async (test) => {
    const { cwd, simulate } = await simulation(test)
    for (let round = 0; round < 2; round++) {
      const { code, stdout } = await simulate('--count', '1500', '--seed', 'one', '--verify')
      assert.equal(code, 0, stdout)
      assert.match(stdout, /The service holds all 1,50\d events: \d+ messages, \d+ statuses/)
    }
    const { code, stdout } = await runCommand(['verify'], { cwd, environment })
    assert.equal(code, 0, stdout)
  })

  it('is held beside what other runs and made-up messages left', async (test) => {
    const { cwd, service, simulate } = await simulation(test)
    const sent = ['send', '--url', service.url, '--count', '300', '--seed', 'one']
    const secret = { WEBHOOK_SECRET: SECRET }
    assert.equal((await runCommand(sent, { cwd, environment: secret })).code, 0)
    assert.equal((await simulate('--count', '400', '--seed', 'one')).code, 0)
    for (const seed of ['two', 'one']) {
      const { code, stdout } = await simulate('--count', '400', '--seed', seed, '--verify')
      assert.equal(code, 0, stdout)
    }
  })

  it('is held whatever is odd, repeated, reordered or without a number', async (test) => {
    const { simulate } = await simulation(test)
    const shares = ['--redeliveries=60', '--reordered=80', '--no-phone=100', '--odd=40']
    const { code, stdout } = await simulate('--count', '800', ...shares, '--verify')
    assert.equal(code, 0, stdout)
  })

  it('is held after the service was killed while it came', async (test) => {
    const { cwd, service, simulate } = await simulation(test)
    const running = simulate(
      '--count',
      '3000',
      '--rate',
      '300',
      '--seed',
      'killed',
      '--retry',
      '100',
    )
    await new Promise((resolve) => setTimeout(resolve, 700))
    await service.stop('SIGKILL')
    await startOpenService(test, {
      cwd,
      environment: { ...environment, PORT: String(service.port) },
    })
    assert.equal((await running).code, 0)
    const again = await simulate('--count', '3000', '--seed', 'killed', '--verify')
    assert.equal(again.code, 0, again.stdout)
  })

  it('names what is missing, changed or too much', async (test) => {
    const { cwd, simulate } = await simulation(test)
    assert.equal((await simulate('--count', '200', '--seed', 'x', '--redeliveries=0')).code, 0)
    const database = new DatabaseSync(join(cwd, 'messages.db'), { timeout: COMMIT_TIMEOUT_MS })
    database.exec("update messages set text = 'changed' where type = 'text' and edited = 0")
    database.exec("delete from events where kind = 'status'")
    database.close()
    const { code, stdout } = await simulate('--count', '200', '--seed', 'x', '--verify')
    assert.equal(code, 1)
    assert.match(stdout, /message "wamid\.sim\.x\.\d+": text is not what was sent/)
    assert.match(stdout, /things are not as they should be/)
  })

  it('does not miss what was not sent because it was interrupted', async (test) => {
    const { cwd, service } = await simulation(test)
    const args = ['simulate', '--url', service.url, '--count', '5000', '--rate', '20', '--verify']
    const { child, result } = startCommand(args, { cwd, environment })
    await until('some are stored', async () => {
      const stats = await (await fetch(`${service.url}/stats`)).json()
      return (stats as { total_messages: number }).total_messages > 0
    })
    child.kill('SIGINT')
    const { code, stdout, stderr } = await result
    assert.equal(code, 1)
    assert.match(stdout, /^not sent [\d,]+$/m)
    assert.doesNotMatch(stdout, /wamid|as they should be/)
    assert.equal(stderr, 'Not everything was sent: what the service holds is not checked.\n')
  })

  it('needs a secret, and says so', async (test) => {
    const cwd = temporaryDirectory(test)
    const { code, stderr } = await runCommand(['simulate'], { cwd, environment: {} })
    assert.equal(code, 2)
    assert.match(stderr, /META_APP_SECRET is not set/)
  })

  it('refuses values that can not be meant', async (test) => {
    const cwd = temporaryDirectory(test)
    for (const args of [['--odd=101'], ['--seed=a b'], ['--count=0'], ['--batch=1001']]) {
      const { code } = await runCommand(['simulate', ...args], { cwd, environment })
      assert.equal(code, 2, args.join())
    }
  })
})
