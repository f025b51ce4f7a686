// How a batch of events best travels to PostgreSQL: as one JSON document, which the service sends, or
// as an array for each column (unnest). Reading them is measured, without storing anything.
import { performance } from 'node:perf_hooks'
import { Client } from 'pg'
import { batchFor } from '../src/app/store/postgres/batch.ts'
import { incoming } from './fill.ts'
import { median } from './statistics.ts'
import { table } from './table.ts'

const SIZES = [1, 10, 50, 500] as const
/** Rows that a measurement sends in all. */
const ROWS = 20_000
const WHAT = 'count(*), max(message_id), max(text)'

type Field = { readonly name: string; readonly type: string }
type Form = {
  readonly name: string
  readonly sql: (fields: readonly Field[]) => string
  readonly values: (rows: readonly Row[], fields: readonly Field[]) => unknown[]
}
type Row = Readonly<Record<string, unknown>>
/** Microseconds a row: until the answer, and of this process's processor time. */
export type Cost = { readonly form: string; readonly size: number; us: number; cpuUs: number }

const FORMS: readonly Form[] = [
  {
    name: 'one JSON document',
    sql: () => `select ${WHAT} from json_populate_recordset(null::incoming_event_1, $1::json)`,
    values: (rows) => [JSON.stringify(rows)],
  },
  {
    name: 'an array a column',
    sql: (fields) => {
      const arrays = fields.map(({ type }, i) => `$${i + 1}::${type}[]`).join(', ')
      return `select ${WHAT} from unnest(${arrays}) as e(${fields.map(({ name }) => name).join(', ')})`
    },
    values: (rows, fields) => fields.map(({ name }) => rows.map((row) => row[name] ?? null)),
  },
]

/** Medians over some rounds, the forms in turn, on a database with the schema of the service. */
export async function measureBatchForms(url: string, rounds: number): Promise<Cost[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const fields = await fieldsOf(client)
  const costs: Cost[] = []
  for (const size of SIZES) {
    const rows = rowsOf(size)
    const measured: Cost[] = []
    // The first round is a warm-up.
    for (let round = 0; round <= rounds; round++) {
      for (const form of FORMS) {
        const cost = await measure(client, { form, size, rows, fields })
        if (round > 0) measured.push(cost)
      }
    }
    for (const { name } of FORMS) costs.push(medianOf(measured.filter(({ form }) => form === name)))
  }
  await client.end()
  return costs
}

export function batchFormTable(costs: readonly Cost[]): string {
  return table([
    ['events a batch', 'sent as', 'µs an event', 'of these, processor time of the service'],
    ...costs.map(({ size, form, us, cpuUs }) => [
      ...[String(size), form, us.toFixed(1), cpuUs.toFixed(1)],
    ]),
  ])
}

async function fieldsOf(client: Client): Promise<Field[]> {
  const { rows } = await client.query<Field>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = 'incoming_event_1'::regclass and attnum > 0 order by attnum`,
  )
  return rows
}

/** Events as the service sends them. */
function rowsOf(size: number): readonly Row[] {
  const intakes = Array.from({ length: size }, (_, i) => incoming(i, Number.MAX_SAFE_INTEGER))
  const runs = JSON.parse(String(batchFor(intakes)[1])) as Row[][]
  return runs[0] ?? []
}

type Work = {
  readonly form: Form
  readonly size: number
  readonly rows: readonly Row[]
  readonly fields: readonly Field[]
}

async function measure(client: Client, { form, size, rows, fields }: Work): Promise<Cost> {
  const batches = Math.ceil(ROWS / size)
  const query = { name: `${form.name} of ${size}`, text: form.sql(fields) }
  const before = process.cpuUsage()
  const start = performance.now()
  for (let i = 0; i < batches; i++) {
    await client.query({ ...query, values: form.values(rows, fields) })
  }
  const us = ((performance.now() - start) * 1000) / (batches * size)
  const { user, system } = process.cpuUsage(before)
  return { form: form.name, size, us, cpuUs: (user + system) / (batches * size) }
}

function medianOf(costs: readonly Cost[]): Cost {
  const { form = '', size = 0 } = costs[0] ?? {}
  const of = (pick: (cost: Cost) => number) => median(costs.map(pick))
  return { form, size, us: of(({ us }) => us), cpuUs: of(({ cpuUs }) => cpuUs) }
}
