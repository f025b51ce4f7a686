// The load generator: a process of its own, the same one for every program that is measured.
// Takes one job from its parent, answers with one report, ends.
import { closedLoop } from './closed-loop.ts'
import type { Range } from './messages.ts'
import { type OpenLoopResult, openLoop } from './open-loop.ts'
import { cpuSeconds } from './process-facts.ts'
import { signedRequests } from './requests.ts'
import type { LoadResult } from './tally.ts'

export type LoadJob = {
  readonly port: number
  /** The server's process, to tell how much processor time it took. */
  readonly pid: number
  readonly run: string
  readonly secret: string
  readonly connections: number
  readonly warmUpSeconds: number
  /** Of each of the two measurements. */
  readonly seconds: number
}

export type LoadReport = {
  readonly warmUp: LoadResult
  readonly full: LoadResult & CpuUse
  /** At half the rate of `full`. */
  readonly half: OpenLoopResult & { readonly rate: number }
  /** The messages that were sent. */
  readonly sent: readonly Range[]
}

/** Processor time in seconds during a measurement; null where the system does not tell. */
export type CpuUse = {
  readonly serverCpuSeconds: number | null
  readonly generatorCpuSeconds: number
}

const WARM_UP_MESSAGES = 20_000
/** A server that is warm may be faster than it was while it warmed up. */
const HEADROOM = 2

async function work(job: LoadJob): Promise<LoadReport> {
  const { port, connections } = job
  const sent: Range[] = []
  let first = 0
  const requests = (count: number) => {
    const made = signedRequests({ ...job, first, count })
    first += count
    // What making them left behind must not be collected during the measurement.
    globalThis.gc?.()
    return made
  }
  const saturate = async (count: number, seconds: number) => {
    const from = first
    const { sent: answered, ...result } = await withCpu(job.pid, requests(count), (made) =>
      closedLoop({ port, connections, requests: made, seconds }),
    )
    sent.push({ first: from, count: answered })
    return result
  }
  const warmUp = await saturate(WARM_UP_MESSAGES, job.warmUpSeconds)
  const expected = Math.ceil(warmUp.perSecond * job.seconds * HEADROOM) + connections
  const full = await saturate(expected, job.seconds)
  const rate = full.perSecond / 2
  const uncounted = Math.ceil(rate * job.warmUpSeconds)
  const count = Math.ceil(rate * job.seconds) + uncounted
  sent.push({ first, count })
  const half = await openLoop({
    port,
    connections,
    requests: requests(count),
    rate,
    warmUp: uncounted,
  })
  return { warmUp, full, half: { ...half, rate }, sent }
}

async function withCpu<Result>(
  pid: number,
  requests: readonly Buffer[],
  measure: (requests: readonly Buffer[]) => Promise<Result>,
): Promise<Result & CpuUse> {
  const serverBefore = cpuSeconds(pid)
  const before = process.cpuUsage()
  const result = await measure(requests)
  const { user, system } = process.cpuUsage(before)
  const serverAfter = cpuSeconds(pid)
  return {
    ...result,
    serverCpuSeconds:
      serverBefore === null || serverAfter === null ? null : serverAfter - serverBefore,
    generatorCpuSeconds: (user + system) / 1e6,
  }
}

process.once('message', (job: LoadJob) => {
  void work(job).then((report) => {
    process.send?.(report, () => process.disconnect?.())
  })
})
