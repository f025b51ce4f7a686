// A given rate, whatever the server does: requests fall due at moments fixed beforehand, and
// latency counts from the due moment. A server that stalls can't slow down its own measurement.
import { Worker } from 'node:worker_threads'
import { randomFrom } from '../src/app/cli/random.ts'
import { type Connection, openConnections } from './connection.ts'
import type { PacerData } from './pacer-thread.ts'
import { type Latency, latencyOf } from './statistics.ts'
import { type LoadResult, Tally } from './tally.ts'

export type OpenLoopOptions = {
  readonly port: number
  readonly connections: number
  readonly requests: readonly Uint8Array[]
  /** Requests per second on average. */
  readonly rate: number
  /** The first requests, whose latencies do not count. */
  readonly warmUp: number
}

export type OpenLoopResult = LoadResult & {
  /** How late requests were sent: the generator's own part, and waiting for a free connection. */
  readonly sentLateMs: Latency
}

/** Before the first request, so that the pacer thread has started by then. */
const LEAD_MS = 200
const SEED = 20_250_115

/** Sends every request at its moment, or as soon after it as a connection is free. */
export async function openLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { port, requests, rate, warmUp } = options
  const connections = await openConnections(options.connections, port)
  const dueMs = arrivals(requests.length, rate)
  const startMs = nowMs() + LEAD_MS
  const pacer = startPacer({ startMs, dueMs, pending: new Int32Array(new SharedArrayBuffer(4)) })
  const loop = new OpenLoop({ requests, dueMs, startMs, connections, warmUp })
  pacer.onDue(() => loop.pump())
  await loop.finished
  const seconds = (nowMs() - startMs) / 1000
  await pacer.stop()
  for (const connection of connections) connection.close()
  return loop.result(seconds)
}

/**
 * Moments in ms from the start, as a Poisson process: senders that know nothing of each other
 * come in clusters and gaps, not in step.
 */
function arrivals(count: number, rate: number): Float64Array {
  const random = randomFrom(SEED)
  const moments = new Float64Array(count)
  let at = 0
  for (let i = 0; i < count; i++) {
    at += (-Math.log(1 - random()) / rate) * 1000
    moments[i] = at
  }
  return moments
}

type LoopData = {
  readonly requests: readonly Uint8Array[]
  readonly dueMs: Float64Array
  readonly startMs: number
  readonly connections: readonly Connection[]
  readonly warmUp: number
}

class OpenLoop {
  readonly #data: LoopData
  readonly #idle: Connection[]
  readonly #tally: Tally
  readonly #lateMs: Float64Array
  #next = 0
  #finish: () => void = () => {}
  readonly finished: Promise<void>

  constructor(data: LoopData) {
    this.#data = data
    this.#idle = [...data.connections]
    this.#tally = new Tally(data.requests.length)
    this.#lateMs = new Float64Array(data.requests.length)
    this.finished = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  /** Sends all that is due, as far as there are free connections. */
  pump(): void {
    const { requests, dueMs, startMs } = this.#data
    while (this.#next < requests.length) {
      const now = nowMs()
      const due = startMs + (dueMs[this.#next] ?? 0)
      const request = requests[this.#next]
      if (due > now || request === undefined) return
      const connection = this.#idle.pop()
      if (connection === undefined) return
      const dueAt = this.#next < this.#data.warmUp ? null : due
      this.#lateMs[this.#next++] = now - due
      connection.send(request, (status) => this.#answered(status, dueAt, connection))
    }
  }

  result(seconds: number): OpenLoopResult {
    return {
      ...this.#tally.result(seconds),
      sentLateMs: latencyOf(this.#lateMs.subarray(this.#data.warmUp)),
    }
  }

  #answered(status: number, due: number | null, connection: Connection): void {
    this.#tally.add(status, due === null ? null : nowMs() - due)
    this.#idle.push(connection)
    if (this.#tally.answers === this.#data.requests.length) this.#finish()
    else this.pump()
  }
}

/** The pacer's clock must mean the same in both threads, which performance.now() does not. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function startPacer(workerData: PacerData) {
  const worker = new Worker(new URL('./pacer-thread.ts', import.meta.url), { workerData })
  return {
    onDue: (pump: () => void) => {
      worker.on('message', () => {
        Atomics.store(workerData.pending, 0, 0)
        pump()
      })
    },
    stop: () => worker.terminate(),
  }
}
