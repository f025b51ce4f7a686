// Whether messages could be stored now, and when that changed, for whoever reads the log later.
import { StoreUnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { within } from '../within.ts'

/** A writer that has not answered by then counts as failed, in ms. */
const PROBE_TIMEOUT_MS = 1000

/** Asks the store, and logs each change of its answer with the reason. */
export class Readiness {
  readonly #probe: () => Promise<void>
  readonly #log: Log
  #isReady = true

  /** `probe` resolves when the writer answers and the schema is current. */
  constructor(probe: () => Promise<void>, log: Log) {
    this.#probe = probe
    this.#log = log
  }

  /** Whether the store could take a message now; never rejects. */
  async check(): Promise<boolean> {
    const answer = this.#probe().then(
      () => null,
      (error: unknown) => ({ error }),
    )
    const fault = await within(PROBE_TIMEOUT_MS, answer, { error: tooLate() })
    this.#note(fault)
    return fault === null
  }

  #note(fault: { readonly error: unknown } | null): void {
    if ((fault === null) === this.#isReady) return
    this.#isReady = fault === null
    if (fault === null) this.#log.info('ready again')
    else this.#log.warn({ err: fault.error }, 'not ready: the database takes no messages now')
  }
}

function tooLate(): StoreUnavailableError {
  return new StoreUnavailableError('The database did not answer within a second.')
}
