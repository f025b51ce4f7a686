// Waits for a condition, so that no test has to guess how long something takes.
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 5
const LIMIT_MS = 20_000

/** Resolves once `condition` holds; rejects, naming `what`, when it never does. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  for (let waited = 0; waited < limitMs; waited += POLL_MS) {
    if (await condition()) return
    await delay(POLL_MS)
  }
  throw new Error(`Waited in vain until ${what}.`)
}

/**
 * Waits where nothing else may run meanwhile, as in a process that exits, for so many ms at most. Returns
 * whether `condition` has come to hold.
 */
export function untilInPlace(condition: () => boolean, limitMs: number): boolean {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() >= end) return false
    Atomics.wait(nobody, 0, 0, POLL_MS)
  }
  return true
}
