// Queries on one connection: prepared once, and several of them in one state of the database.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

type Value = string | number

/** Reads from a connection. Texts of queries are constants; every value is a parameter. */
export class Snapshot {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Everything inside sees one state of the database. */
  run<Result>(work: () => Result): Result {
    this.#database.exec('begin')
    try {
      return work()
    } finally {
      this.#database.exec('commit')
    }
  }

  all<Row>(sql: string, values: readonly Value[]): Row[] {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement.all(...values) as Row[]
  }

  /** The number in the only column of the first row; 0 where there is none. */
  number(sql: string, values: readonly Value[]): number {
    const [row] = this.all<Record<string, number>>(sql, values)
    return row === undefined ? 0 : (Object.values(row)[0] ?? 0)
  }
}
