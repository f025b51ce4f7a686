// A log that is kept in memory, to be asked for what was written.
import assert from 'node:assert/strict'
import { createLogTo, type Log } from '../../src/app/log.ts'

export type LogEntry = Readonly<Record<string, unknown>>

/** Everything logged, at every level. */
export class CapturedLog {
  readonly log: Log
  readonly #lines: string[] = []

  constructor() {
    this.log = createLogTo({ write: (line) => void this.#lines.push(line) }, 'trace')
  }

  get entries(): readonly LogEntry[] {
    return this.#lines.map((line) => JSON.parse(line) as LogEntry)
  }

  /** The entries with these values in these fields. */
  where(fields: LogEntry): readonly LogEntry[] {
    return this.entries.filter((entry) =>
      Object.entries(fields).every(([name, value]) => entry[name] === value),
    )
  }

  /** Throws when one of `words` is in any line. */
  assertFreeOf(words: readonly string[]): void {
    for (const line of this.#lines) {
      for (const word of words) assert.ok(!line.includes(word), `leaked ${word}: ${line}`)
    }
  }
}
