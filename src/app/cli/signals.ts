// The signals that ask a process to end. The first one is a request; who repeats it means it.
import { FAILED } from './command.ts'

/** Who stops a process and then its group sends it two signals, and means one. In ms. */
const SAME_SIGNAL_MS = 250
const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Those, and the end of the terminal, for who has something to tidy up and nobody to work for then. */
export const SIGNALS_AND_HANGUP = [...SIGNALS, 'SIGHUP'] as const

/**
 * Calls back with the first of `signals`, SIGTERM or SIGINT unless told otherwise; another one,
 * later, ends the process at once with exit code 1. Returns what gives the signals their usual
 * effect again.
 */
export function onFirstSignal(
  callback: (signal: NodeJS.Signals) => void,
  signals: readonly NodeJS.Signals[] = SIGNALS,
): () => void {
  let receivedAt: number | null = null
  const listener = (signal: NodeJS.Signals) => {
    const now = performance.now()
    if (receivedAt !== null) {
      if (now - receivedAt > SAME_SIGNAL_MS) process.exit(FAILED)
      return
    }
    receivedAt = now
    callback(signal)
  }
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/** Does work that ends early, with what there is so far, when a signal asks for it. */
export async function interruptible<Result>(
  work: (stop: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const listenNoMore = onFirstSignal(() => stop.abort())
  try {
    return await work(stop.signal)
  } finally {
    listenNoMore()
  }
}
