// Copies a store into another, of the same engine or the other: row by row, with the numbers the
// rows have. It can be cut off anywhere and goes on where it was; at the end both are compared.
import { createHash } from 'node:crypto'
import {
  type Key,
  type Row,
  TABLES,
  type Table,
  type TableName,
  UNFINISHED,
} from '../sql/tables.ts'

/** A store that rows are read from. */
export type CopySource = {
  /** What tells this store from every other. */
  identity(): Promise<string>
  count(table: TableName): Promise<number>
  /** The last number of the sequence that was given; no row may have it. */
  lastSeq(): Promise<number>
  /**
   * The rows behind a key in the order of keys: up to the table's chunk, or until they hold
   * CHUNK_BYTES.
   */
  rowsAfter(table: Table, key: Key | null): Promise<readonly Row[]>
  close(): Promise<void>
}

/** A store that rows are written to. */
export type CopyTarget = CopySource & {
  /** The largest key; null without rows. */
  lastKey(table: Table): Promise<Key | null>
  /** Stores rows in one transaction. */
  write(table: Table, rows: readonly Row[]): Promise<void>
  setIdentity(identity: string): Promise<void>
  /** Derives what follows from the rows, and the numbers that come next: none up to `lastSeq`. */
  finish(lastSeq: number): Promise<void>
}

export type CopyProgress = (work: 'Copying' | 'Comparing', done: number, total: number) => void

/** What was copied, by table; `differs` names tables that do not agree in the end. */
export type CopyResult = {
  readonly rows: Readonly<Record<string, number>>
  readonly digests: Readonly<Record<string, string>>
  readonly differs: readonly string[]
}

/**
 * Copies what the target has not got yet; a copy that is complete is only compared again. Throws
 * where the target holds something else than an earlier part of this copy.
 */
export async function copyStore(
  source: CopySource,
  target: CopyTarget,
  onProgress: CopyProgress,
): Promise<CopyResult> {
  const identity = await source.identity()
  let total = 0
  for (const { name } of TABLES) total += await source.count(name)
  if ((await target.identity()) !== identity) {
    await begin(target, `${identity}${UNFINISHED}`)
    await copyTables(source, target, (done) => onProgress('Copying', done, total))
    await target.finish(await source.lastSeq())
  }
  const result = await compare(source, target, (done) => onProgress('Comparing', done, 2 * total))
  if (result.differs.length === 0) await target.setIdentity(identity)
  return result
}

async function begin(target: CopyTarget, unfinished: string): Promise<void> {
  if ((await target.identity()) === unfinished) return
  if (await holdsRows(target)) throw new Error('The store to copy to is not empty.')
  await target.setIdentity(unfinished)
}

/** Also a part of another copy does, which has given no number yet. */
async function holdsRows(target: CopyTarget): Promise<boolean> {
  for (const table of TABLES) if ((await target.lastKey(table)) !== null) return true
  return false
}

async function copyTables(
  source: CopySource,
  target: CopyTarget,
  onProgress: (done: number) => void,
): Promise<void> {
  let done = 0
  for (const table of TABLES) {
    done += await target.count(table.name)
    done = await copyTable(table, source, target, done, onProgress)
  }
}

async function copyTable(
  table: Table,
  source: CopySource,
  target: CopyTarget,
  before: number,
  onProgress: (done: number) => void,
): Promise<number> {
  let done = before
  let key = await target.lastKey(table)
  for (;;) {
    const rows = await source.rowsAfter(table, key)
    const last = rows.at(-1)
    if (last === undefined) return done
    await target.write(table, rows)
    key = last[0] as Key
    done += rows.length
    onProgress(done)
  }
}

async function compare(
  source: CopySource,
  target: CopySource,
  onProgress: (done: number) => void,
): Promise<CopyResult> {
  const rows: Record<string, number> = {}
  const digests: Record<string, string> = {}
  const differs: string[] = []
  let done = 0
  const onRows = (count: number) => {
    done += count
    onProgress(done)
  }
  for (const table of TABLES) {
    const [one, other] = [await read(source, table, onRows), await read(target, table, onRows)]
    rows[table.name] = other.rows
    digests[table.name] = other.digest
    if (one.rows !== other.rows || one.digest !== other.digest) differs.push(table.name)
  }
  return { rows, digests, differs }
}

/** The rows of a table and the SHA-256 over all of them, in their order. */
async function read(store: CopySource, table: Table, onRows: (count: number) => void) {
  const hash = createHash('sha256')
  let rows = 0
  let key: Key | null = null
  for (;;) {
    const chunk = await store.rowsAfter(table, key)
    const last = chunk.at(-1)
    if (last === undefined) return { rows, digest: hash.digest('hex') }
    for (const row of chunk) hash.update(`${JSON.stringify(row.map(comparable))}\n`)
    key = last[0] as Key
    rows += chunk.length
    onRows(chunk.length)
  }
}

function comparable(value: Row[number]): string | number | null {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
