// The current status of each message, computed again from all its statuses.
import type { Instant } from '../../model/instant.ts'
import { currentStatus } from '../../model/status.ts'
import type { Report } from './verification.ts'

/** A status of a message beside the one that is stored as current; one of the two may be missing. */
export type StatusRow = {
  readonly message_id: string
  readonly status: string | null
  readonly instant: Instant | null
  readonly stored: string | null
}

/** Takes the statuses of all messages, those of one after the other. */
export class StateCheck {
  readonly #report: Report
  #history: StatusRow[] = []

  constructor(report: Report) {
    this.#report = report
  }

  row(row: StatusRow): void {
    if (row.message_id !== this.#history[0]?.message_id) this.end()
    this.#history.push(row)
  }

  /** After the last row. */
  end(): void {
    const [first] = this.#history
    if (first === undefined) return
    const marks = this.#history.flatMap(({ status, instant }) =>
      status === null || instant === null ? [] : [{ status, instant }],
    )
    if (currentStatus(marks) !== first.stored) {
      this.#report(`message ${JSON.stringify(first.message_id)}: its current status is not right.`)
    }
    this.#history = []
  }
}
