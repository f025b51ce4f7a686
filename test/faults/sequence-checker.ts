// Compares what a follower of the sequence was given with what is stored, which is read by plain SQL.
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'

/** An entry of the sequence: its number, and what it is known by. */
export type Entry = { readonly seq: number; readonly key: string | null }

const SEQUENCE_SQL = `select seq, message_id as key from messages
  union all select seq, key from events order by seq`

/** The sequence as a database has it, which a URL names. */
export async function storedSequence(url: string): Promise<Entry[]> {
  if (url.startsWith('sqlite')) {
    const database = new DatabaseSync(url.slice('sqlite:///'.length), { readOnly: true })
    const rows = database.prepare(SEQUENCE_SQL).all() as Entry[]
    database.close()
    return rows
  }
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ seq: string; key: string | null }>(SEQUENCE_SQL)
  await client.end()
  return rows.map(({ seq, key }) => ({ seq: Number(seq), key }))
}

/** Everything by which `seen` is not the stored sequence, each once and in order; a sentence each. */
export function sequenceAnomalies(stored: readonly Entry[], seen: readonly Entry[]): string[] {
  const found: string[] = []
  const given = new Map<number, string | null>()
  let last = 0
  for (const { seq, key } of seen) {
    if (given.has(seq)) found.push(`${seq} came again behind ${last}`)
    else if (seq < last) found.push(`${seq} came behind ${last}`)
    given.set(seq, key)
    last = seq
  }
  for (const { seq, key } of stored) {
    if (!given.has(seq)) found.push(`${seq} (${key}) was passed over`)
    else if (given.get(seq) !== key) found.push(`${seq} is ${key} and came as ${given.get(seq)}`)
    given.delete(seq)
  }
  for (const [seq, key] of given) found.push(`${seq} (${key}) came and is not stored`)
  return found
}
