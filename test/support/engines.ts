// The two engines, for tests that a service has to pass on either.
import { join } from 'node:path'
import { Client } from 'pg'
import { newDatabase } from './databases.ts'
import { holdWriteLock } from './write-lock.ts'

export type Database = {
  /** For DATABASE_URL. */
  readonly url: string
  /** Holds up whoever wants to store something, until the result is called; again: nothing. */
  holdWriter(): Promise<() => Promise<void>>
}

export type Engine = {
  readonly name: string
  /** A database that is empty; a file of it would be in `directory`. */
  newDatabase(directory: string): Promise<Database>
}

const sqlite: Engine = {
  name: 'SQLite',
  newDatabase: async (directory) => {
    const file = join(directory, 'messages.db')
    return {
      url: `sqlite:///${file}`,
      holdWriter: async () => {
        const release = holdWriteLock(file)
        return async () => release()
      },
    }
  },
}

const postgresql: Engine = {
  name: 'PostgreSQL',
  newDatabase: async () => {
    const url = await newDatabase()
    return {
      url,
      holdWriter: async () => {
        const client = new Client({ connectionString: url })
        await client.connect()
        await client.query('begin; select pg_advisory_xact_lock(storing_lock_1())')
        return () => client.end()
      },
    }
  },
}

export const ENGINES: readonly Engine[] = [sqlite, postgresql]
