// What the server itself takes: pgbench with a single-row insert of the same message, a transaction
// each, on the same tables with the same indexes.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageFor } from './messages.ts'

const CLIENTS = 64
const THREADS = 2

/** The same rows as the service stores for a message, in one statement, with a random id. */
function script(): string {
  const { from, to, ts, text } = messageFor('pgbench', 1)
  const body = JSON.stringify(messageFor('pgbench', 1)).replaceAll("'", "''")
  return `\\set id random(1, 1000000000000000)
\\set person random(1, 50000)
with intake as (
  insert into intakes (id, provider, received_at, sha256, bytes, headers, body)
  values (nextval('intake_ids'), 'flat', (extract(epoch from now()) * 1000)::bigint,
    sha256('${body}'::bytea), ${Buffer.byteLength(body)}, '{}', '${body}'::bytea)
  returning id, received_at
)
insert into messages (seq, message_id, namespace, provider, intake, type, direction, sender,
  recipient, contact, ts, instant, text, folded, received_at)
select nextval('event_seq'), 'wamid.' || md5(:id::text), '', 'flat', id, 'text', 'inbound',
  '${from.slice(0, -6)}' || :person, '${to}', :person, '${ts}', '${ts}' || :id, '${text}',
  lower('${text}'), received_at
from intake on conflict (message_id, namespace) do nothing;
`
}

/** Inserts for some seconds over 64 connections; returns transactions a second. */
export function pgbench(url: string, directory: string, seconds: number): number {
  const file = join(directory, 'insert.sql')
  writeFileSync(file, script())
  const output = execFileSync(
    'pgbench',
    [
      ...['--no-vacuum', '--protocol=prepared', `--client=${CLIENTS}`, `--jobs=${THREADS}`],
      ...[`--time=${seconds}`, `--file=${file}`, url],
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const rate = /^tps = ([\d.]+)/m.exec(output)?.[1]
  if (rate === undefined) throw new Error(`pgbench says no rate: ${output}`)
  return Number(rate)
}

/** The version, or null where it is not installed. */
export function pgbenchVersion(): string | null {
  try {
    return execFileSync('pgbench', ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}
