// How damage that stops a check becomes a finding.
import { StoreFailedError } from '../../errors.ts'
import type { Report } from '../verify/verification.ts'
import { storeError } from './faults.ts'

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
