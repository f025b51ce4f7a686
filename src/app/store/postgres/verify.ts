// The whole database against itself: the schema, every row against the body it was made of, every
// counter against a count, folded texts against the texts. In one transaction that only reads, so
// it works beside running replicas and changes nothing.
import type { Client } from 'pg'
import type { Verification, Verified } from '../verify/verification.ts'
import { withReason } from './connection-faults.ts'
import { createClient } from './connections.ts'
import { countOf } from './counters.ts'
import { readIdentity } from './identity.ts'
import type { SchemaState } from './schema.ts'
import { Snapshot } from './snapshot.ts'
import { StoredBodies } from './verify-bodies.ts'
import { checkContacts, checkCounters, checkStates } from './verify-counters.ts'
import { checkOrphans, checkSequences, checkUniqueness } from './verify-identities.ts'
import { checkIndexes } from './verify-indexes.ts'
import { checkEvents, checkMessages } from './verify-rows.ts'
import { checkSchema } from './verify-schema.ts'
import { VerifyTransaction } from './verify-transaction.ts'
import { requireWholeStore } from './whole-store.ts'

/** Checks everything in one state of the database, page by page, in constant memory. */
export async function verifyDatabase(url: string, verification: Verification): Promise<Verified> {
  const client = createClient(url)
  try {
    return await withReason('verified', url, async () => {
      await client.connect()
      const transaction = await VerifyTransaction.begin(client, verification.report)
      const schema = await requireWholeStore(client)
      return await verifySnapshot({ client, transaction, schema, ...verification })
    })
  } finally {
    await client.end().catch(() => {})
  }
}

type Opened = Verification & {
  readonly client: Client
  readonly transaction: VerifyTransaction
  readonly schema: SchemaState
}

async function verifySnapshot(opened: Opened): Promise<Verified> {
  const { client, transaction, schema, quick, report } = opened
  await transaction.guard('schema', () => checkSchema(transaction, schema, report))
  const indexes = await transaction.guard('indexes', () => checkIndexes(transaction, quick))
  await transaction.guard('store', () => checkStore(client, opened))
  const rows = await checkRows(opened)
  const snapshot = new Snapshot(client)
  const counting = { transaction, snapshot, report }
  const guarded = <Result>(name: string, check: (options: typeof counting) => Promise<Result>) =>
    transaction.guard(name, () => transaction.withoutIndexes(() => check(counting)))
  await guarded('ids', checkUniqueness)
  await guarded('intakes', checkOrphans)
  await guarded('sequences', checkSequences)
  const senders = await guarded('counters', checkCounters)
  await guarded('contacts', checkContacts)
  await guarded('states', checkStates)
  const newer =
    schema.found > schema.needed ? `schema ${schema.found}, newer than this version, ` : ''
  return { rows, senders: senders ?? 0, index: `${newer}${indexes ?? 'indexes not compared'}` }
}

async function checkStore(client: Client, { report }: Verification): Promise<void> {
  if (/^[0-9a-f]{32}$/.test(await readIdentity(client))) return
  report('store: there should be one row with an identity.')
}

async function checkRows(opened: Opened): Promise<number> {
  const { client, transaction, parse, report, onProgress } = opened
  const total = await transaction.guard('counters', () =>
    countOf(new Snapshot(client), 'kind', 'message'),
  )
  const bodies = await transaction.guard('intakes', () =>
    StoredBodies.open({ transaction, parse, report }),
  )
  if (bodies === null) return 0
  const onRows = (count: number) => onProgress(count, total ?? count)
  const options = { transaction, bodies, report, onRows }
  const rows = await transaction.guard('messages', () => checkMessages(options))
  await transaction.guard('events', () => checkEvents(options))
  return rows ?? 0
}
