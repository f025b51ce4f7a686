// Queries on one connection, in the texts that both engines share.
import type { ClientBase } from 'pg'
import { type Listed, longOf, type Texts, withTexts } from '../sql/long-texts.ts'

export type Value = string | number | readonly string[]

/** Texts with $1, $2… for their question marks: no text of ours has one of another meaning. */
const numbered = new Map<string, string>()

/** Reads from a connection. Texts of queries are constants; every value is a parameter. */
export class Snapshot {
  readonly #client: ClientBase

  constructor(client: ClientBase) {
    this.#client = client
  }

  /** Everything inside sees one state of the database. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#client.query('begin isolation level repeatable read read only')
    const result = await work()
    await this.#client.query('commit')
    return result
  }

  /** No text that is stored has a U+0000, and no server takes one: nothing matches it. */
  async all<Row>(sql: string, values: readonly Value[]): Promise<Row[]> {
    if (values.some((value) => typeof value === 'string' && value.includes('\0'))) return []
    const { rows } = await this.#client.query(withNumbers(sql), [...values])
    return rows as Row[]
  }

  /** Rows of a list with their long texts, which each of `queries` reads from one table. */
  async whole<Row extends Listed<unknown>>(
    rows: readonly Row[],
    queries: readonly string[],
  ): Promise<readonly Row[]> {
    const long = longOf(rows).map(String)
    if (long.length === 0) return rows
    const texts: Texts[] = []
    for (const sql of queries) {
      texts.push(...(await this.all<Texts>(`${sql} = any (?::bigint[])`, [long])))
    }
    return withTexts(rows, texts)
  }

  /** The number in the only column of the first row; 0 where there is none. */
  async number(sql: string, values: readonly Value[]): Promise<number> {
    const [row] = await this.all<Record<string, unknown>>(sql, values)
    return row === undefined ? 0 : Number(Object.values(row)[0] ?? 0)
  }
}

function withNumbers(sql: string): string {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let count = 0
  const text = sql.replaceAll('?', () => `$${++count}`)
  numbered.set(sql, text)
  return text
}
