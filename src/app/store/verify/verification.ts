// What a verification is given and what it says, whatever the engine.
import type { IncomingEvent, ProviderName, Rules } from '../../model/event.ts'

/** Told of each thing that disagrees, in a sentence without any text of a message. */
export type Report = (finding: string) => void

/** Findings that are remembered; where more disagrees, one of them may be told again. */
const MOST_TOLD = 10_000

/** The same, told of everything once: what is wrong with a body is found with each row that was in it. */
export function once(report: Report): Report {
  const told = new Set<string>()
  return (finding) => {
    if (told.has(finding)) return
    if (told.size === MOST_TOLD) told.clear()
    told.add(finding)
    report(finding)
  }
}

/** The events in a body that arrived at this moment, by these rules. Throws where it holds none. */
export type ParseBody = (
  provider: ProviderName,
  body: Buffer,
  receivedAt: number,
  rules: Rules,
) => readonly IncomingEvent[]

export type Verification = {
  /** Leave out the comparison of tables with their indexes, which takes the longest. */
  readonly quick: boolean
  readonly parse: ParseBody
  readonly report: Report
  readonly onProgress: (rows: number, total: number) => void
}

export type Verified = {
  readonly rows: number
  readonly senders: number
  /** What can be said of what is derived for searches and of indexes, in a few words. */
  readonly index: string
}

/** How a row is named: by its place in the sequence and the id of its message. */
export function nameOf({ seq, message_id }: { seq: number; message_id: string }): string {
  return `row ${seq} (${JSON.stringify(message_id)})`
}
