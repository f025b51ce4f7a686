// The report of a run: Markdown for people, the raw numbers beside it, one JSON object a line.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { conditions, limits, misses } from './remarks.ts'
import { faultsOf, type Results } from './results.ts'
import { ingestRows, queryRows } from './round-tables.ts'
import { table } from './table.ts'
import { judgeAll } from './targets.ts'
import type { Outcome } from './verdict.ts'

/** Where reports are kept. */
export const REPORTS = fileURLToPath(new URL('./reports/', import.meta.url))

/** The one table: what is compared, the medians, the ratio, the target and whether it holds. */
export function outcomeTable(outcomes: readonly Outcome[]): string {
  return table([
    ['what', 'medians', 'ratio', 'target', 'verdict'],
    ...outcomes.map(({ what, measured, ratio, target, verdict }) => [
      what,
      measured,
      ratio,
      target,
      verdict,
    ]),
  ])
}

/** The name of a report: the UTC time at which the run began. */
export function reportName(startedAt: Date): string {
  return startedAt.toISOString().slice(0, 19).replaceAll(':', '')
}

/** Writes both files and returns the path of the Markdown one. */
export function writeReport(results: Results): string {
  mkdirSync(REPORTS, { recursive: true })
  const name = reportName(results.startedAt)
  const file = join(REPORTS, `${name}.md`)
  writeFileSync(file, markdown(results))
  const { ingest, queries, machine, options, command, original } = results
  const head = { part: 'run', startedAt: results.startedAt, command, options, original }
  const lines = [head, machine, ...ingest, ...queries].map((item) => JSON.stringify(item))
  writeFileSync(join(REPORTS, `${name}.ndjson`), `${lines.join('\n')}\n`)
  return file
}

function markdown(results: Results): string {
  const { startedAt, options } = results
  const outcomes = judgeAll(results)
  const faults = faultsOf(results)
  const sections = [
    `# Benchmark, ${startedAt.toISOString().slice(0, 10)}${options.quick ? ' (smoke run)' : ''}`,
    outcomeTable(outcomes),
    faults.length === 0 ? '' : section('Invalid measurements', list(faults)),
    section('What is missed', list(misses(outcomes))),
    section('Machine and conditions', list(conditions(results))),
    section('What the numbers do not say', list(limits(results))),
    results.ingest.length === 0 ? '' : section('Ingest, every round', table(ingestRows(results))),
    results.queries.length === 0
      ? ''
      : section('Queries, every round (medians in ms)', table(queryRows(results))),
  ]
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`
}

function section(title: string, content: string): string {
  return `## ${title}\n\n${content}`
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n')
}
