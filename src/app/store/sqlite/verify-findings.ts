// What a verification has to say, and how damage that stops a check becomes a part of it.
import { StoreFailedError } from '../../errors.ts'
import { storeError } from './faults.ts'

/** Told of each thing that disagrees, in a sentence without any text of a message. */
export type Report = (finding: string) => void

/** Runs one check; null where damage kept it from going on, which is then reported. */
export type Guard = <Result>(name: string, check: () => Result) => Result | null

/** Turns what SQLite can't read into a finding, so that the other checks go on. */
export function guardWith(report: Report): Guard {
  return (name, check) => {
    try {
      return check()
    } catch (error) {
      const known = storeError(error)
      if (!(known instanceof StoreFailedError)) throw error
      report(`${name}: the file can't be read any further. ${known.message}`)
      return null
    }
  }
}

/** How a row is named: by its place in the sequence and the id of its message. */
export function nameOf({ seq, message_id }: { seq: number; message_id: string }): string {
  return `row ${seq} (${JSON.stringify(message_id)})`
}
