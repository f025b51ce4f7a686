// Wakes the load generator at each due moment. A thread of its own, because the timers of an event
// loop know whole milliseconds only, and a loop that spins would take a core from the server.
import { parentPort, workerData } from 'node:worker_threads'

export type PacerData = {
  /** In ms of the monotonic clock (process.hrtime). */
  readonly startMs: number
  /** Moments in ms from the start, ascending. */
  readonly dueMs: Float64Array
  /** One shared cell: 1 while a wake-up is on its way. */
  readonly pending: Int32Array
}

const { startMs, dueMs, pending } = workerData as PacerData
const never = new Int32Array(new SharedArrayBuffer(4))

for (const due of dueMs) {
  const waitMs = startMs + due - Number(process.hrtime.bigint()) / 1e6
  if (waitMs > 0) Atomics.wait(never, 0, 0, waitMs)
  if (Atomics.exchange(pending, 0, 1) === 0) parentPort?.postMessage(null)
}
