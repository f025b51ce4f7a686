// The report of a benchmark that is nothing but tables: printed, and kept beside the others.
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeMachine } from './machine.ts'
import { REPORTS, reportName } from './report.ts'

export type TablesReport = {
  readonly startedAt: Date
  /** Ends the name of the file. */
  readonly kind: string
  readonly title: string
  readonly tables: readonly string[]
  /** What the numbers are, and on which machine: it is handed its description. */
  readonly note: (machine: string) => string
}

/** Prints the tables, and writes them into a file of Markdown. */
export function writeTables({ startedAt, kind, title, tables, note }: TablesReport): void {
  const text = tables.join('\n\n')
  process.stdout.write(`${text}\n`)
  mkdirSync(REPORTS, { recursive: true })
  const { processor, cores } = describeMachine(tmpdir())
  const name = reportName(startedAt)
  writeFileSync(
    join(REPORTS, `${name}-${kind}.md`),
    `# ${title}, ${name.slice(0, 10)}\n\n${text}\n\n${note(`${cores} cores (${processor})`)}\n`,
  )
}
