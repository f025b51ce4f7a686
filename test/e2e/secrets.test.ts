// Neither the database's password nor what a message says is anywhere that others read: the log at
// its most talkative, metrics, answers, the list of processes. In good times and in bad ones.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { newSettingFor, type Sabotage } from '../faults/setting.ts'
import { leaksIn } from '../support/leaks.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { type Process, post, refusedStart, type Service } from '../support/service.ts'
import { CANARY, flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'

const USER = 'canary_user'
const PASSWORD = 'canary p@ss/word'
/** What a constraint that a test adds refuses, for the server to quote in its error. */
const UNWANTED = 'canary-text-that-the-server-refuses'
const SECRETS = {
  user: USER,
  password: PASSWORD,
  'wrong password': 'canary w@ng/word',
  'signing secret': SECRET,
  text: CANARY.text,
  'refused text': UNWANTED,
  sender: CANARY.from,
}
const TALKATIVE = { LOG_LEVEL: 'trace', DATABASE_POOL_SIZE: '4' }

describe('secrets and texts of messages', () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.create()
    const file = join(server.directory, 'pg_hba.conf')
    writeFileSync(file, `host all ${USER} all scram-sha-256\n${readFileSync(file, 'utf8')}`)
    await server.start()
    await server.query(`create user ${USER} password '${PASSWORD}'`)
  })
  after(() => server.remove())

  /** The URL of a database that the user owns. */
  async function newUrl(): Promise<URL> {
    const url = new URL(await server.newDatabase())
    await server.query(`alter database ${url.pathname.slice(1)} owner to ${USER}`)
    url.username = USER
    url.password = PASSWORD
    return url
  }

  const setPassword = (password: string) =>
    server.query(`alter user ${USER} password '${password}'`)

  it('are in nothing that a start with a wrong password says', async (t) => {
    const url = await newUrl()
    url.password = SECRETS['wrong password']
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: url.href, LOG_LEVEL: 'trace' }
    const refused = await refusedStart(t, { cwd: temporaryDirectory(t), environment })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /password/)
    assert.deepEqual(leaksIn(outputOf(refused), SECRETS), [])
  })

  it('are in nothing that others read of a service in good times and in bad ones', async (t) => {
    const seen = await everythingSeen(t, await newUrl())
    assert.deepEqual(leaksIn(seen, SECRETS), [])
  })

  it('are found by the same look at a twin that logs what it stores, and where', async (t) => {
    const seen = await everythingSeen(t, await newUrl(), 'talkative log')
    const found = new Set(leaksIn(seen, SECRETS).map(({ where, secret }) => `${secret}: ${where}`))
    for (const secret of ['user', 'password', 'text', 'sender']) {
      assert.ok(found.has(`${secret}: stdout`), `${secret} is not found`)
    }
  })

  /** Runs a service through good times and bad ones; resolves with all it let anybody see. */
  async function everythingSeen(t: TestContext, url: URL, sabotage?: Sabotage) {
    const service = await newSettingFor(url.href, t, sabotage).start(TALKATIVE)
    const answers = new Answers(service)
    const isReady = async () => (await answers.get('/health/ready')) === 200
    // A process of the server may end a moment after it was told to.
    const isRefused = async () =>
      (await answers.send()) === 503 && (await answers.get('/messages')) === 503
    await answers.everyKind()
    await refuseUnwanted(server, url)
    assert.equal(await answers.send({ text: UNWANTED }), 500)
    await server.kill()
    await until('nothing is stored or read any more', isRefused)
    await server.start()
    await until('it is ready again', isReady)
    await setPassword(SECRETS['wrong password'])
    await disconnect(server)
    await until('nothing is stored or read any more', isRefused)
    await setPassword(PASSWORD)
    await until('it is ready again', isReady)
    assert.equal(await answers.send(), 200)
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    assert.match(metrics, /^http_requests_total/m)
    const commandLine = commandLineOf(service.pid)
    assert.match(commandLine, /node/)
    await service.stop()
    return new Map([
      ...outputOf(service),
      ['metrics', metrics],
      ['command line', commandLine],
      ['errors', answers.errors.join('\n')],
    ])
  }
})

/** Asks a service, and keeps what it answers to what it does not do. */
class Answers {
  readonly errors: string[] = []
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
  }

  async get(path: string): Promise<number> {
    return this.#keep(await fetch(`${this.#service.url}${path}`))
  }

  async send(fields: Readonly<Record<string, unknown>> = {}, secret?: string): Promise<number> {
    const body = toBytes({ ...flatBody(), ...fields })
    return this.#keep(await post(this.#service, body, signature(body, secret)))
  }

  /** Stored, again, in conflict, invalid, with a wrong signature; searched for, and not found. */
  async everyKind(): Promise<void> {
    assert.equal(await this.send({ message_id: 'one' }), 200)
    assert.equal(await this.send({ message_id: 'one' }), 200)
    await this.send({ message_id: 'one', text: `${CANARY.text}, changed` })
    assert.equal(await this.send({ from: `${CANARY.from}, or so`, text: [CANARY.text] }), 422)
    assert.equal(await this.send({}, 'another secret'), 401)
    assert.equal(await this.get(`/messages?q=${CANARY.text}`), 200)
    assert.equal(await this.get(`/messages?limit=${CANARY.text}`), 422)
    assert.equal(await this.get('/messages/none'), 404)
  }

  async #keep(response: Response): Promise<number> {
    const text = await response.text()
    if (response.status >= 400) {
      this.errors.push(`${JSON.stringify([...response.headers])} ${text}`)
    }
    return response.status
  }
}

function outputOf({
  stdout,
  stderr,
}: Pick<Process, 'stdout' | 'stderr'>): ReadonlyMap<string, string> {
  return new Map([
    ['stdout', stdout],
    ['stderr', stderr],
  ])
}

/** The server's own words about this one quote the whole row. */
async function refuseUnwanted(server: PostgresServer, url: URL): Promise<void> {
  const constraint = `alter table messages add constraint unwanted check (text <> '${UNWANTED}')`
  await server.query(constraint, url.pathname.slice(1))
}

async function disconnect(server: PostgresServer): Promise<void> {
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where usename = '${USER}'`)
}

function commandLineOf(pid: number): string {
  const file = `/proc/${pid}/cmdline`
  if (existsSync(file)) return readFileSync(file, 'utf8')
  return execFileSync('ps', ['-o', 'args=', '-p', `${pid}`], { encoding: 'utf8' })
}
