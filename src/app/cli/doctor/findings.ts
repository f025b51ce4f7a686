// What a doctor found, line by line.

/** Lines with a word in front that tells good from bad. */
export class Findings {
  readonly #write: (line: string) => void
  /** How many things are wrong. */
  faults = 0

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  good(what: string, finding: string): void {
    this.#write(`ok     ${what}: ${finding}`)
  }

  /** Perhaps meant so, perhaps not. */
  doubtful(what: string, finding: string): void {
    this.#write(`check  ${what}: ${finding}`)
  }

  fault(what: string, finding: string): void {
    this.faults++
    this.#write(`FAULT  ${what}: ${finding}`)
  }

  unknown(what: string, finding: string): void {
    this.#write(`–      ${what}: ${finding}`)
  }
}
