import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { parseCsv } from '../support/csv.ts'
import { newDatabase } from '../support/databases.ts'
import { fillDatabase } from '../support/filled-database.ts'
import { freePort } from '../support/free-port.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand, spawnMain } from '../support/run-command.ts'
import type { Service } from '../support/service.ts'
import { type FlatBody, flatBody, SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const COUNT = 1300
const TEXTS = [
  'Straße',
  'İstanbul',
  'É',
  'e\u0301',
  '100%',
  '=SUM(A1)',
  '🎉 "a",\r\nb',
  'ΣΊΣΥΦΟΣ',
  '',
]

/** So that all of them together are more than a pipe and its reader take in. */
const PADDING = ' '.repeat(1000)

/** Many of one instant, so that pages end among them. */
const BODIES = Array.from({ length: COUNT }, (_, i) =>
  flatBody({
    message_id: `${(i * 7919) % COUNT}/id`,
    from: `+1999555010${i % 7}`,
    to: `+1999555020${i % 3}`,
    ts: `2025-01-15T10:${String(i % 60).padStart(2, '0')}:00.${i % 2}0Z`,
    text: i % 11 === 0 ? null : `${TEXTS[i % TEXTS.length]} ${i}${PADDING}`,
  }),
)

const FILTERS: readonly Record<string, string>[] = [
  {},
  { order: 'desc' },
  { from: '+19995550103' },
  { to: '+19995550201', order: 'desc' },
  { from: '+19995550103', to: '+19995550201' },
  { from: '+1' },
  { from: '' },
  { since: '2025-01-15T10:30:00Z' },
  { since: '2025-01-15T16:00:00.1+05:30', until: '2025-01-15T10:45:00Z', order: 'desc' },
  { until: '2025-01-15T10:20:00Z', from: '+19995550100' },
  { q: 'é' },
  { q: 'istanbul' },
  { q: 'i\u0307STANBUL' },
  { q: 'σίσυφος', order: 'desc' },
  { q: '%' },
  { q: '' },
  { q: '1', from: '+19995550105', since: '2025-01-15T10:10:00Z', order: 'desc' },
  { q: 'nowhere to be found' },
  { type: 'text', direction: 'inbound', contact: '+19995550103' },
  { direction: 'outbound' },
  { status: 'read' },
  { phone_number_id: '1' },
]

for (const engine of ['SQLite', 'PostgreSQL'])
  describe(`export from ${engine}`, () => {
    const cwd = mkdtempSync(join(tmpdir(), 'webhook-export-'))
    const file = 'sqlite:///messages.db'
    const environment = { WEBHOOK_SECRET: SECRET, DATABASE_URL: file }
    const run = (...args: string[]) => runCommand(['export', ...args], { cwd, environment })
    const closing: (() => Promise<void>)[] = []
    let service: Service

    before(async () => {
      await fillDatabase(join(cwd, 'messages.db'), BODIES)
      if (engine === 'PostgreSQL') {
        environment.DATABASE_URL = await newDatabase()
        const copied = await runCommand(['migrate-store', file, environment.DATABASE_URL], { cwd })
        assert.equal(copied.code, 0, copied.stderr)
      }
      service = await startOpenService(
        { after: (work) => void closing.push(work) },
        { cwd, environment },
      )
    })
    after(async () => {
      for (const close of closing) await close()
      rmSync(cwd, { recursive: true })
    })

    for (const filter of FILTERS) {
      it(`writes what GET /messages shows for ${JSON.stringify(filter)}`, async () => {
        const options = Object.entries(filter).map(
          ([name, value]) => `--${name.replaceAll('_', '-')}=${value}`,
        )
        const { code, stdout, stderr } = await run('--format', 'ndjson', ...options)
        assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
        const lines = stdout.split('\n')
        assert.equal(lines.pop(), '')
        const exported = lines.map((line) => JSON.parse(line) as FlatBody)
        assert.deepEqual(exported, await allPages(service.url, filter))
      })
    }

    it('writes the same messages as CSV, raw or defused', async () => {
      const expected = (await allPages(service.url, {})).map(
        ({ message_id, from, to, ts, text }) => [message_id, from, to, ts, text],
      )
      const raw = parseCsv((await run('--format', 'csv', '--raw')).stdout)
      assert.deepEqual(raw, [['message_id', 'from', 'to', 'ts', 'text'], ...expected])
      const defused = parseCsv((await run('--format', 'csv')).stdout)
      for (const [i, record] of defused.entries()) {
        const [, , , , text] = raw[i] ?? []
        assert.equal(record[4], text?.startsWith('=') ? `'${text}` : text)
      }
    })

    it('writes a file that is whole and private, and replaces none without --force', async () => {
      const file = join(cwd, 'all.ndjson')
      const args = ['--format', 'ndjson', '--output', 'all.ndjson']
      const { code, stdout, stderr } = await run(...args)
      assert.deepEqual({ code, stdout }, { code: 0, stdout: '' })
      assert.equal(stderr, 'all.ndjson: 1,300 messages.\n')
      assert.equal(statSync(file).mode & 0o777, 0o600)
      assert.equal(readFileSync(file, 'utf8').split('\n').length, COUNT + 1)
      assert.equal((await run(...args)).code, 2)
      assert.equal((await run(...args, '--force', '--from=+1')).code, 0)
      assert.equal(statSync(file).size, 0)
    })

    it('ends quietly when its reader has seen enough', async () => {
      const child = spawnMain(['export', '--format', 'ndjson'], { cwd, environment }, [
        'ignore',
        'pipe',
        'pipe',
      ])
      let stderr = ''
      child.stderr?.on('data', (text) => {
        stderr += String(text)
      })
      child.stdout?.once('data', () => child.stdout?.destroy())
      const [code] = (await once(child, 'close')) as [number | null]
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    })

    it('holds no lock: the service stores while an export waits for its reader', async () => {
      const child = spawnMain(['export', '--format', 'ndjson'], { cwd, environment }, [
        'ignore',
        'pipe',
        'inherit',
      ])
      const { stdout } = child
      assert.ok(stdout)
      const chunks = stdout.setEncoding('utf8')[Symbol.asyncIterator]()
      let text = String((await chunks.next()).value)
      const sent = await runCommand(['send', '--url', service.url, '--from=+19995550199'], {
        cwd,
        environment,
      })
      assert.equal(sent.code, 0)
      assert.equal(child.exitCode, null, 'it did not wait')
      const ended = once(child, 'close')
      for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) text += String(chunk)
      await ended
      const lines = text.split('\n').length - 1
      assert.equal(lines, COUNT, 'what came later is not a part of it')
    })
  })

it('export --force never replaces the database it reads', async (t) => {
  const cwd = temporaryDirectory(t)
  await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
  const environment = { DATABASE_URL: 'sqlite:///messages.db' }
  for (const file of ['./messages.db', join(cwd, 'messages-search.db')]) {
    const args = ['export', '--format', 'csv', '--force', '--output', file]
    const { code, stderr } = await runCommand(args, { cwd, environment })
    assert.equal(code, 2)
    assert.match(stderr, /is the database itself/)
  }
  assert.equal((await runCommand(['verify'], { cwd, environment })).code, 0)
})

it('export writes nothing of a table before it could open the database', async (t) => {
  const cwd = temporaryDirectory(t)
  const database = new DatabaseSync(join(cwd, 'newer.db'))
  database.exec('pragma user_version = 999')
  database.close()
  const away = `postgresql://user@127.0.0.1:${await freePort()}/database`
  for (const url of ['sqlite:///newer.db', away]) {
    const args = ['export', '--format', 'csv', '--database', url]
    const { code, stdout, stderr } = await runCommand(args, { cwd })
    assert.deepEqual([code, stdout], [1, ''])
    assert.notEqual(stderr, '')
  }
})

it('export writes the head of a table where nothing matches', async (t) => {
  const cwd = temporaryDirectory(t)
  await fillDatabase(join(cwd, 'messages.db'), [flatBody()])
  const args = [
    'export',
    '--format',
    'csv',
    '--q',
    'nothing',
    '--database',
    'sqlite:///messages.db',
  ]
  const { code, stdout } = await runCommand(args, { cwd })
  assert.equal(code, 0)
  assert.equal(parseCsv(stdout).length, 1)
})

it('export says of a server that can not be reached what to do', async (t) => {
  const url = `postgresql://user:a-password@127.0.0.1:${await freePort()}/database`
  const args = ['export', '--format', 'ndjson', '--database', url]
  const { code, stdout, stderr } = await runCommand(args, { cwd: temporaryDirectory(t) })
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(
    stderr,
    /^The PostgreSQL database can't be exported: \S+ refuses connections: .*\?\n$/,
  )
  assert.doesNotMatch(stderr, /a-password/)
})

async function allPages(url: string, filter: Record<string, string>): Promise<FlatBody[]> {
  const messages: FlatBody[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = new URLSearchParams({ ...filter, limit: '100', ...(cursor ? { cursor } : {}) })
    const answer = await fetch(`${url}/messages?${query}`)
    assert.equal(answer.status, 200)
    const page = (await answer.json()) as { data: FlatBody[]; next_cursor: string | null }
    messages.push(...page.data)
    cursor = page.next_cursor
  }
  return messages
}
