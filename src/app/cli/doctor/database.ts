// Whether the database is there, and as the service needs it.
import { existsSync } from 'node:fs'
import type { DatabaseUrl } from '../../store/database-url.ts'
import { type Inspection, inspectDatabase } from '../../store/postgres/inspection.ts'
import { schemaFault } from '../../store/postgres/schema.ts'
import { fileFault } from '../../store/sqlite/faults.ts'
import { inspectFile } from '../../store/sqlite/whole-store.ts'
import type { Findings } from './findings.ts'

/** Looks at the database without changing anything in it. */
export async function checkDatabase(url: DatabaseUrl, findings: Findings): Promise<void> {
  if (url.engine === 'sqlite') checkFile(url.file, findings)
  else await checkServer(url.url, findings)
}

function checkFile(file: string | null, findings: Findings): void {
  if (file === null) {
    findings.doubtful('database', 'is a temporary file that is removed when the service ends.')
    return
  }
  if (!existsSync(file)) {
    findings.doubtful('database', `${file} does not exist yet.`)
    return
  }
  try {
    const { found, needed, isUnfinished } = inspectFile(file)
    if (isUnfinished) {
      findings.fault('database', `${file} is a copy that is not complete: run migrate-store again.`)
    } else if (found === needed) findings.good('database', `${file} has schema ${found}.`)
    else findings.fault('database', `${file} has schema ${found}, and ${needed} is needed.`)
  } catch (error) {
    findings.fault('database', `${file} can't be read: ${fileFault(error)}`)
  }
}

async function checkServer(url: string, findings: Findings): Promise<void> {
  try {
    const found = await inspectDatabase(url)
    reportServer(found, findings)
    reportDatabase(found, findings)
  } catch (error) {
    findings.fault('database', `can't be used: ${String((error as Error).message)}`)
  }
}

function reportServer(
  { version, isSupported, isDurable, keepsSessions }: Inspection,
  findings: Findings,
): void {
  if (isSupported) findings.good('database server', `is PostgreSQL ${version}.`)
  else findings.fault('database server', `is PostgreSQL ${version}, and 15 or newer is needed.`)
  if (!isDurable) {
    findings.fault('database server', 'runs with fsync=off, and would lose messages: set it on.')
  }
  if (!keepsSessions) {
    findings.fault(
      'database server',
      'is behind a pooler that does not keep sessions apart: set pool_mode=session there, or connect past it.',
    )
  }
}

function reportDatabase(
  { narrowEncoding, schema, isUnfinished, remedyForCreators }: Inspection,
  findings: Findings,
): void {
  if (narrowEncoding !== null) {
    findings.fault(
      'database',
      `has the encoding ${narrowEncoding}, which does not hold every character: create it with encoding UTF8.`,
    )
  }
  const fault = schemaFault(schema)
  if (schema.found === 0) {
    findings.doubtful('database', 'has no schema yet: the service makes it when it starts.')
  } else if (fault !== null) findings.fault('database', fault)
  else if (isUnfinished) {
    findings.fault('database', 'is a copy that is not complete: run migrate-store again.')
  } else {
    findings.good('database', `has schema ${schema.found}, and ${schema.needed} is needed.`)
  }
  if (remedyForCreators !== null) {
    findings.doubtful(
      'database',
      `lets others create in its schema, who could take over what stores messages. Let its owner run: ${remedyForCreators}`,
    )
  }
}
