// The second workload: batches of the Cloud API beside the flat format, and the price of streams on
// which nothing happens, on either engine. Round by round in one run, each on a fresh database.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseOptions } from '../src/app/cli/command.ts'
import { evenTraffic } from '../src/app/cli/simulate/traffic.ts'
import { PostgresServer } from '../test/support/postgres-server.ts'
import { closedLoop } from './closed-loop.ts'
import { COMMON_HELP, integer, runBenchmark } from './command.ts'
import { dropDatabase, MEASURED_SERVER, SETTINGS } from './postgres-databases.ts'
import { memoryOf } from './process-facts.ts'
import { SERVICE } from './programs.ts'
import { cloudApiRequests, signedRequests } from './requests.ts'
import { READ_KEY, type Running, runProgram, SECRET } from './run-program.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'
import { writeTables } from './tables-report.ts'

const CONNECTIONS = 64
const STREAMS = 1000
/** More than the fastest machine sends; what is left over is not sent. */
const REQUESTS_A_SECOND: Readonly<Record<number, number>> = { 1: 12_000, 10: 4000, 100: 800 }

type Workload = { readonly name: string; readonly items: number; readonly streams: number }
type Options = { readonly rounds: number; readonly seconds: number; readonly postgres: boolean }
/** Where each measurement has a database of its own; null: in a file. */
type Server = PostgresServer | null
type Measured = { readonly eventsPerSecond: number; readonly streamsMb: number | null }

const FLAT: Workload = { name: 'flat format', items: 0, streams: 0 }
const WORKLOADS: readonly Workload[] = [
  FLAT,
  { name: 'Cloud API, 1 item a request', items: 1, streams: 0 },
  { name: 'Cloud API, 10 items a request', items: 10, streams: 0 },
  { name: 'Cloud API, 100 items a request', items: 100, streams: 0 },
  { name: `flat format, ${STREAMS} idle streams`, items: 0, streams: STREAMS },
]

async function measure(
  workload: Workload,
  { server, seconds }: { readonly server: Server; readonly seconds: number },
): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-cloud-api-'))
  const database = (await server?.newDatabase()) ?? join(directory, 'messages.db')
  let running: Running | undefined
  const streams: Socket[] = []
  try {
    running = await runProgram(SERVICE, { directory, database })
    const { port, pid } = running
    const before = memoryOf(pid)?.nowMb ?? null
    await openStreams(streams, workload.streams, port)
    const after = memoryOf(pid)?.nowMb ?? null
    const load = (of: number) =>
      closedLoop({
        port,
        connections: CONNECTIONS,
        requests: requestsFor(workload, of, port),
        seconds: of,
      })
    await load(1)
    const { sent, seconds: took, failures } = await load(seconds)
    if (Object.keys(failures).length > 0)
      throw new Error(`${workload.name}: not all was answered 200`)
    const streamsMb = workload.streams === 0 || before === null ? null : (after ?? 0) - before
    return { eventsPerSecond: (sent * Math.max(1, workload.items)) / took, streamsMb }
  } finally {
    for (const stream of streams) stream.destroy()
    await running?.stop()
    rmSync(directory, { recursive: true, force: true })
    if (server !== null) await dropDatabase(server, database)
  }
}

function requestsFor({ items }: Workload, seconds: number, port: number): Buffer[] {
  const run = randomBytes(8).toString('hex')
  if (items === 0) {
    return signedRequests({ run, port, secret: SECRET, first: 0, count: 12_000 * seconds })
  }
  const requests = (REQUESTS_A_SECOND[items] ?? 0) * seconds
  const bodies = evenTraffic({ run, requests, items, startMs: Date.UTC(2025, 0, 15) })
  return cloudApiRequests(bodies, { port, secret: SECRET })
}

/** Streams of a person who never writes. */
async function openStreams(streams: Socket[], count: number, port: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).on('data', () => {})
    socket.write(
      `GET /events/stream?contact=nobody HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${READ_KEY}\r\n\r\n`,
    )
    streams.push(socket)
  }
  await sleep(2000)
}

const HELP = `Usage: npm run bench:cloud-api -- [options]

Loads the service with batches of the Cloud API and with the flat format, and with ${STREAMS} streams on
which nothing happens, and writes a report.

Options:
  --rounds N        Measurements of each workload; the medians count (3).
  --seconds N       Length of each measurement (5).
  --postgres        Store in a PostgreSQL that the command starts, not in SQLite files.
${COMMON_HELP}`

function parse(args: readonly string[]): Options {
  const { values } = parseOptions(args, {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    postgres: { type: 'boolean', default: false },
  } as const)
  return {
    rounds: integer('rounds', values.rounds, 1),
    seconds: integer('seconds', values.seconds, 1),
    postgres: values.postgres,
  }
}

async function run({ rounds, seconds, postgres }: Options): Promise<boolean> {
  const startedAt = new Date()
  const server = postgres ? await PostgresServer.start({ settings: SETTINGS }) : null
  const measured = new Map<Workload, Measured[]>(WORKLOADS.map((workload) => [workload, []]))
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const workload of WORKLOADS) {
        const result = await measure(workload, { server, seconds })
        measured.get(workload)?.push(result)
        process.stderr.write(
          `round ${round}: ${workload.name}: ${result.eventsPerSecond.toFixed(0)} events/s\n`,
        )
      }
    }
  } finally {
    server?.remove()
  }
  const [command, engine] = postgres
    ? ['npm run bench:cloud-api -- --postgres', MEASURED_SERVER]
    : ['npm run bench:cloud-api', 'SQLite']
  writeTables({
    startedAt,
    kind: postgres ? 'cloud-api-postgres' : 'cloud-api',
    title: 'Cloud API workload',
    tables: [workloadTable(measured)],
    note: (machine) =>
      `Medians of ${rounds} rounds of ${seconds} s with ${CONNECTIONS} connections, by ` +
      `\`${command}\`, on ${machine} that the load generator shares; on ${engine}.\n` +
      'An item is a message or anything else that becomes an event. Idle streams follow a person ' +
      'who never writes.',
  })
  return true
}

function workloadTable(measured: ReadonlyMap<Workload, readonly Measured[]>): string {
  const medianOf = (workload: Workload) =>
    median((measured.get(workload) ?? []).map(({ eventsPerSecond }) => eventsPerSecond))
  const flat = medianOf(FLAT)
  return table([
    ['workload', 'events a second', 'to the flat format', 'memory of the streams'],
    ...WORKLOADS.map((workload) => {
      const megabytes = (measured.get(workload) ?? []).flatMap(({ streamsMb }) => streamsMb ?? [])
      return [
        workload.name,
        medianOf(workload).toFixed(0),
        `${(medianOf(workload) / flat).toFixed(2)} ×`,
        megabytes.length === 0 ? '' : `${median(megabytes).toFixed(0)} MB`,
      ]
    }),
  ])
}

await runBenchmark({ help: HELP, parse, run })
