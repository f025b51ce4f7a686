// What the server itself takes: pgbench with a single-row insert of the same message, a transaction
// each, on the same tables with the same indexes.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageFor } from './messages.ts'

const CLIENTS = 64
const THREADS = 2

const MESSAGE = messageFor('pgbench', 1)
const { from, to, ts, text } = MESSAGE
const ADDRESS = `'${from.slice(0, -6)}' || :person`

const INTAKE = `intake as (
  insert into intakes (id, provider, received_at, sha256, bytes, headers, body)
  values (nextval('intake_ids'), 'flat', (extract(epoch from now()) * 1000)::bigint,
    sha256(:body::bytea), length(:body), '{}', :body::bytea)
  returning id, received_at
)`

const message = (contact: string) => `insert into messages (seq, message_id, namespace, provider,
    intake, type, direction, sender, recipient, contact, ts, instant, text, folded, received_at)
  select nextval('event_seq'), 'wamid.' || md5(:id::text), '', 'flat', id, 'text', 'inbound',
    ${ADDRESS}, '${to}', ${contact}, '${ts}', '${ts}' || :id, '${text}', lower('${text}'),
    received_at
  from intake on conflict (message_id, namespace) do nothing`

/** A message and its body. */
const TWO_ROWS = `with ${INTAKE} ${message(':person')};`

/** Every row that the service stores for a message: also its person, and what is to be counted. */
const ALL_ROWS = `with known as (
  select contact from contact_addresses where address = ${ADDRESS}
), taken as (
  insert into contact_addresses (address, contact)
  select ${ADDRESS}, nextval('contact_ids') where not exists (select from known)
  on conflict (address) do nothing returning address, contact
), made as (
  insert into contacts (id, key, phone, address_instant, profile_instant)
  select contact, address, address, '${ts}', '' from taken
), ${INTAKE}, stored as (
  ${message('(select contact from known union all select contact from taken)')}
  returning sender, contact, instant
), counted as (
  insert into count_changes
  select counter, key, 1 from stored cross join lateral (values
    ('kind', 'message'), ('type', 'text'), ('day', left(instant, 10)), ('sender', sender)
  ) as c(counter, key)
)
insert into activity_changes select contact, 1, instant from stored where contact is not null;`

const STATEMENTS = { two: TWO_ROWS, all: ALL_ROWS }
export type Rows = keyof typeof STATEMENTS

function script(rows: Rows): string {
  const body = JSON.stringify(MESSAGE).replaceAll("'", "''")
  return `\\set id random(1, 1000000000000000)
\\set person random(1, 50000)
${STATEMENTS[rows].replaceAll(':body', `'${body}'`)}
`
}

/** Inserts for some seconds over 64 connections; returns transactions a second. */
export function pgbench(
  url: string,
  { rows, directory, seconds }: { rows: Rows; directory: string; seconds: number },
): number {
  const file = join(directory, 'insert.sql')
  writeFileSync(file, script(rows))
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
