// The ingest part: every program in turn, round by round, each on a fresh database.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadJob, LoadReport } from './load.ts'
import type { Options } from './options.ts'
import { type Memory, memoryOf } from './process-facts.ts'
import type { Program, ProgramName } from './programs.ts'
import { type Running, runProgram, SECRET } from './run-program.ts'
import { withSlowFlush } from './slow-flush.ts'
import { checkStored, type StoreCheck } from './stored.ts'

export type IngestRound = {
  readonly part: 'ingest'
  readonly round: number
  readonly program: ProgramName
  readonly load: LoadReport
  /** Right after the load. */
  readonly memory: Memory | null
  /** Null for a program that stores nothing. */
  readonly store: StoreCheck | null
  /** Why the numbers count for nothing; empty when they do. */
  readonly faults: readonly string[]
}

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))

/** Measures every program once a round, each round in another order. */
export async function measureIngest(
  programs: readonly Program[],
  options: Options,
  tell: (text: string) => void,
): Promise<IngestRound[]> {
  const rounds: IngestRound[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const turn = (round - 1) % programs.length
    for (const program of [...programs.slice(turn), ...programs.slice(0, turn)]) {
      const result = await measure(program, round, options)
      rounds.push(result)
      tell(lineFor(program, result))
    }
  }
  return rounds
}

async function measure(program: Program, round: number, options: Options): Promise<IngestRound> {
  const directory = mkdtempSync(join(options.directory, `bench-${program.name}-`))
  const database = join(directory, 'messages.db')
  const run = randomBytes(8).toString('hex')
  let running: Running | undefined
  try {
    running = await runProgram(withSlowFlush(program, options.flushMs), { directory, database })
    const { port, pid } = running
    const { connections, seconds, warmUpSeconds } = options
    const job = { port, pid, run, secret: SECRET, connections, seconds, warmUpSeconds }
    const load = await generateLoad(job)
    const memory = memoryOf(pid)
    const store = program.stores ? checkStored(database, run, load.sent) : null
    const faults = faultsOf(load, store)
    return { part: 'ingest', round, program: program.name, load, memory, store, faults }
  } finally {
    await running?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function generateLoad(job: LoadJob): Promise<LoadReport> {
  const child = fork(LOAD, { execArgv: ['--expose-gc'] })
  const ended = once(child, 'exit')
  child.send(job)
  const report = await Promise.race([
    once(child, 'message').then(([message]) => message as LoadReport),
    ended.then(() => null),
  ])
  if (report === null) throw new Error('The load generator has failed.')
  await ended
  return report
}

function faultsOf({ warmUp, full, half }: LoadReport, store: StoreCheck | null): string[] {
  const faults: string[] = []
  for (const [phase, { failures }] of Object.entries({ warmUp, full, half })) {
    for (const [status, count] of Object.entries(failures)) {
      const what = status === '0' ? 'broken connections' : `answers with status ${status}`
      faults.push(`${count} ${what} (${phase})`)
    }
  }
  if (store !== null && store.missing > 0) faults.push(`${store.missing} messages LOST`)
  if (store !== null && store.unexpected > 0) {
    faults.push(`${store.unexpected} messages stored that were not acknowledged, or twice`)
  }
  return faults
}

function lineFor({ title }: Program, { round, load, faults }: IngestRound): string {
  const { full, half } = load
  const line = `round ${round}: ${title}: ${full.perSecond.toFixed(0)}/s, p99 ${half.latencyMs.p99.toFixed(2)} ms at ${half.rate.toFixed(0)}/s`
  return faults.length === 0 ? line : `${line}\n  INVALID: ${faults.join('; ')}`
}
