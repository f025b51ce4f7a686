// A PostgreSQL database that a store is copied from or to.
import type { Client, QueryConfig, QueryResult } from 'pg'
import type { CopySource, CopyTarget } from '../copy/copy-store.ts'
import {
  type Cell,
  CHUNK_BYTES,
  type Key,
  type Row,
  type Table,
  type TableName,
} from '../sql/tables.ts'
import { withReason } from './connection-faults.ts'
import { connectAlone, leave } from './connections.ts'
import { foldedOf, reactionIn } from './derived-columns.ts'
import { isLockTaken } from './faults.ts'
import { readIdentity } from './identity.ts'
import { COPY_LOCK } from './locks.ts'
import { prepareTarget } from './opening.ts'
import { requireWholeStore } from './whole-store.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const LOCK_TIMEOUT_MS = 5000

/** Connects to a database that is there. Rejects where it holds no whole store of this version. */
export function postgresSource(url: string): Promise<CopySource> {
  const told: Told = (work) => withReason('copied', url, work)
  return told(() => openEnd(url, requireWholeStore, told))
}

/**
 * Connects to a database, whose tables are made where they are missing. Rejects while another copy
 * writes to it.
 */
export function postgresTarget(url: string): Promise<CopyTarget> {
  const told: Told = (work) => withReason('copied to', url, work)
  return told(async () => {
    await prepareTarget(url)
    return await openEnd(url, lockTarget, told)
  })
}

/** Runs work on the database; what it rejects with says what can't be done, and why. */
type Told = <Result>(work: () => Promise<Result>) => Promise<Result>

async function openEnd(
  url: string,
  check: (client: Client) => Promise<unknown>,
  told: Told,
): Promise<PostgresEnd> {
  const client = await connectAlone(url)
  try {
    await check(client)
    return new PostgresEnd(client, told)
  } catch (error) {
    leave(client)
    throw error
  }
}

/**
 * Until the connection ends, nobody else copies into the database. A copy that was killed holds it
 * for as long as the server still works on its last statement, whose rows count as copied.
 */
async function lockTarget(client: Client): Promise<void> {
  try {
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await client.query(`select pg_advisory_lock(${COPY_LOCK})`)
    await client.query('set lock_timeout = 0')
  } catch (error) {
    if (!isLockTaken(error)) throw error
    throw new Error(
      'another migrate-store writes to it, or the server still works on what one that was ended had sent: try again when it is done.',
      { cause: error },
    )
  }
}

class PostgresEnd implements CopyTarget {
  readonly #client: Client
  readonly #told: Told

  constructor(client: Client, told: Told) {
    this.#client = client
    this.#told = told
  }

  identity(): Promise<string> {
    return this.#told(() => readIdentity(this.#client))
  }

  async setIdentity(identity: string): Promise<void> {
    await this.#query({ text: 'update store set identity = $1', values: [identity] })
  }

  async count(table: TableName): Promise<number> {
    return Number(await this.#value(`select count(*) from ${table} ${unexpired(table)}`))
  }

  async lastSeq(): Promise<number> {
    return Number(await this.#value('select last_given_seq_1()'))
  }

  async lastKey({ name, columns: [key] }: Table): Promise<Key | null> {
    return (await this.#value(`select max(${key}) from ${name}`)) as Key | null
  }

  /** Values that are not read are not unpacked either: their lengths are known without. */
  async rowsAfter(
    { name, columns, large, chunk }: Table,
    key: Key | null,
  ): Promise<readonly Row[]> {
    const [first] = columns
    const behind = key === null ? '' : `${unexpired(name) === '' ? 'where' : 'and'} ${first} > $1`
    const size = ['0', ...large.map((column) => `coalesce(octet_length(${column}), 0)`)].join(' + ')
    const { rows } = await this.#query({
      text: `select ${columns.join(', ')} from (
          select ${columns.join(', ')}, sum(${size}) over (order by ${first}
            rows between unbounded preceding and 1 preceding) as before_it
          from (select * from ${name} ${unexpired(name)} ${behind} order by ${first} limit ${chunk})
            as next
        ) as measured
        where before_it is null or before_it < ${CHUNK_BYTES} order by ${first}`,
      values: key === null ? [] : [key],
      rowMode: 'array',
    })
    return rows as Row[]
  }

  async write(table: Table, rows: readonly Row[]): Promise<void> {
    if (table.name === 'intakes') await this.#makeDays(rows)
    const columns = [...table.columns, ...derivedColumns(table.name)]
    const objects = rows.map((row) => ({
      ...Object.fromEntries(table.columns.map((column, i) => [column, jsonOf(row[i] ?? null)])),
      ...derived(table, row),
    }))
    await this.#query({
      text: `insert into ${table.name} (${columns.join(', ')})
        select ${columns.join(', ')} from json_populate_recordset(null::${table.name}, $1)`,
      values: [JSON.stringify(objects)],
    })
  }

  async finish(lastSeq: number): Promise<void> {
    const text = `
      begin;
      truncate counts, count_changes, activity, activity_changes;
      insert into counts
        select 'type', type, count(*) from messages group by 2 union all
        select 'day', left(instant, 10), count(*) from messages group by 2 union all
        select 'sender', sender, count(*) from messages group by 2 union all
        select 'senders', '', count(distinct sender) from messages having count(*) > 0 union all
        select 'kind', 'message', count(*) from messages having count(*) > 0 union all
        select 'kind', kind, count(*) from events group by 2 union all
        select 'status', status, count(*) from message_states group by 2;
      insert into activity
        select contact, count(*), max(instant) from messages where contact is not null group by 1;
      select setval('event_seq', ${Math.max(lastSeq, 1)}, ${lastSeq > 0});
      select setval('intake_ids', greatest(max(id), 1), max(id) is not null) from (
        select id from intakes union all select intake from messages
        union all select intake from events) as numbered;
      select setval('contact_ids', greatest(max(id), 1), max(id) is not null) from contacts;
      commit;
      analyze`
    await this.#query({ text })
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  async #makeDays(rows: readonly Row[]): Promise<void> {
    const days = new Set(rows.map((row) => Math.floor(Number(row[2]) / DAY_MS)))
    for (const day of days) {
      const date = new Date(day * DAY_MS).toISOString().slice(0, 10)
      await this.#query({ text: 'select make_days_1($1::date, 1)', values: [date] })
    }
  }

  async #value(sql: string): Promise<unknown> {
    const { rows } = await this.#query({ text: sql, rowMode: 'array' })
    return (rows[0] as unknown[] | undefined)?.[0] ?? null
  }

  #query(query: QueryConfig & { readonly rowMode?: 'array' }): Promise<QueryResult> {
    return this.#told(() => this.#client.query(query))
  }
}

/** Bodies that have expired may still be on the disk. */
function unexpired(table: TableName): string {
  return table === 'intakes' ? 'where received_at >= (select expired_before from store)' : ''
}

function jsonOf(value: Cell): string | number | null {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value
}

/** Columns that this engine keeps beside those that both have. */
function derivedColumns(table: TableName): readonly string[] {
  if (table === 'messages') return ['folded', 'reaction_to']
  return table === 'events' ? ['folded'] : []
}

/** The values of `derivedColumns` for a row. */
function derived({ name, columns }: Table, row: Row): Readonly<Record<string, string | null>> {
  if (name !== 'messages' && name !== 'events') return {}
  const textIn = (column: string) => (row[columns.indexOf(column)] ?? null) as string | null
  const folded = foldedOf(textIn('text'))
  return name === 'events' ? { folded } : { folded, reaction_to: reactionIn(textIn('content')) }
}
