// The one transaction of a verification: it sees one state of the database and can't change it.
import type { Client } from 'pg'
import type { Report } from '../verify/verification.ts'
import { isConnectionCode, sqlState, storeError } from './faults.ts'

const PAGE = 1000

type Attempt<Result> = { readonly result: Result | null; readonly reason: string | null }

/** Everything is read through it, a thousand rows at a time at most. */
export class VerifyTransaction {
  readonly #client: Client
  readonly #report: Report
  #cursors = 0

  private constructor(client: Client, report: Report) {
    this.#client = client
    this.#report = report
  }

  /** Begins it on a connection that nobody else uses. */
  static async begin(client: Client, report: Report): Promise<VerifyTransaction> {
    const transaction = new VerifyTransaction(client, report)
    await client.query(`begin isolation level repeatable read read only;
      set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
      set local jit = off`)
    // Before the first look, which decides what is seen: a day dropped in between would be missed.
    await transaction.#attempt(() => client.query('lock table intakes in access share mode'))
    await client.query(
      "select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'",
    )
    return transaction
  }

  /** The rows of a query that has few of them. */
  async all<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#client.query<Row>(sql, [...values])).rows
  }

  /** The number in the only column of the first row; 0 where there is none. */
  async number(sql: string): Promise<number> {
    const [row] = await this.all<Record<string, unknown>>(sql)
    return row === undefined ? 0 : Number(Object.values(row)[0] ?? 0)
  }

  /** The rows of a query, page by page, however many there are. */
  async *pages<Row extends object>(sql: string): AsyncGenerator<Row[]> {
    const name = `verify_${++this.#cursors}`
    await this.#client.query(`declare ${name} no scroll cursor for ${sql}`)
    for (;;) {
      const rows = await this.all<Row>(`fetch ${PAGE} from ${name}`)
      if (rows.length > 0) yield rows
      if (rows.length < PAGE) break
    }
    await this.#client.query(`close ${name}`)
  }

  /** Calls `onRow` with each row of a query. */
  async each<Row extends object>(sql: string, onRow: (row: Row) => void): Promise<void> {
    for await (const page of this.pages<Row>(sql)) page.forEach(onRow)
  }

  /** Runs one check; null where an answer of the server ended it, which is then reported. */
  async guard<Result>(
    name: string,
    check: () => Promise<Result>,
    verdict = "can't be checked any further.",
  ): Promise<Result | null> {
    const { result, reason } = await this.#attempt(check)
    if (reason !== null) this.#report(`${name}: ${verdict} ${reason}`)
    return result
  }

  /** Runs a check that reads tables themselves: an index may have lost what its table still has. */
  async withoutIndexes<Result>(check: () => Promise<Result>): Promise<Result> {
    await this.#useIndexes('off')
    const result = await check()
    await this.#useIndexes('on')
    return result
  }

  /** What the server refuses in here does not end the transaction. */
  async #attempt<Result>(work: () => Promise<Result>): Promise<Attempt<Result>> {
    await this.#client.query('savepoint before')
    try {
      const result = await work()
      await this.#client.query('release savepoint before')
      return { result, reason: null }
    } catch (error) {
      const code = sqlState(error)
      if (code === null || isConnectionCode(code)) throw error
      await this.#client.query('rollback to savepoint before; release savepoint before')
      return { result: null, reason: String((storeError(error) as Error).message) }
    }
  }

  async #useIndexes(value: 'on' | 'off'): Promise<void> {
    await this.#client.query(`set local enable_indexscan = ${value};
      set local enable_indexonlyscan = ${value}; set local enable_bitmapscan = ${value}`)
  }
}
