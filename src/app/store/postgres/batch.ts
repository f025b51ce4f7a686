// A batch on its way to the server: one statement with a few parameters, whatever its size.

import type { Identity } from '../../model/contact.ts'
import type { IncomingEvent, Intake, MessageEvent } from '../../model/event.ts'
import { identityOf, messageOf, personOf, typeOf } from '../sql/identity.ts'
import { foldedOf } from './derived-columns.ts'
import { FLUSHES } from './durability.ts'

/**
 * Stores a batch: a token, then its parameters; or nothing, where the server does not flush. Types that
 * were left open could fit a function better that somebody else has made beside ours.
 */
export const INGEST_SQL = `select flushes,
    case when flushes then ingest_1($1::uuid, $2::boolean, $3::json, $4::integer[], $5::text[],
      $6::bigint[], $7::text[], $8::integer[], $9::bytea) end as copies
  from (select ${FLUSHES}) as server(flushes)`

/** What is stored of an event; the fields of incoming_event_1. Absent: null. */
type Row = Readonly<Record<string, unknown>>

/**
 * Events of a run: the server looks for each among all of them, and of thousands that takes longer
 * than storing them.
 */
const MAX_RUN = 500

/** A lone half of a surrogate pair, as JSON writes it; text of PostgreSQL can't hold one. */
const LONE_SURROGATE = /\\ud[89a-f]/i

/**
 * The batch as parameters of INGEST_SQL, behind the token. No other replica may store beside a batch
 * with an event that changes rows of others (an edit, a revocation, a new address). One that changes
 * who people are is a run of its own; with `everyEvent` each is, after the server has refused the
 * batch without it.
 */
export function batchFor(intakes: readonly Intake[], everyEvent = false): readonly unknown[] {
  const events = intakes.flatMap((intake, i) => intake.events.map((event) => ({ event, i: i + 1 })))
  const rows = events.map(({ event, i }, n) => rowOf(event, n + 1, i))
  const isAlone = (_: Row, n: number) => everyEvent || events[n]?.event.formerly !== undefined
  const alone = everyEvent || events.some(({ event }) => changesOthers(event))
  return [
    alone,
    jsonOf(runsOf(rows, isAlone)),
    events.map(({ i }) => i),
    intakes.map(({ provider }) => provider),
    intakes.map(({ receivedAt }) => receivedAt),
    intakes.map(({ headers }) => JSON.stringify(headers)),
    intakes.map(({ body }) => body.byteLength),
    Buffer.concat(intakes.map(({ body }) => body)),
  ]
}

function changesOthers({ kind, formerly }: IncomingEvent): boolean {
  return kind === 'edit' || kind === 'revoke' || formerly !== undefined
}

/** Rows in their order, in runs of at most MAX_RUN; each that has to be alone is a run of its own. */
function runsOf(rows: readonly Row[], isAlone: (row: Row, n: number) => boolean): Row[][] {
  const runs: Row[][] = []
  let open: Row[] | null = null
  for (const [n, row] of rows.entries()) {
    if (isAlone(row, n)) {
      runs.push([row])
      open = null
    } else if (open === null || open.length === MAX_RUN) {
      open = [row]
      runs.push(open)
    } else open.push(row)
  }
  return runs
}

function rowOf(event: IncomingEvent, ord: number, intake: number): Row {
  const { contact, formerly } = event
  return {
    ord,
    intake,
    kind: event.kind,
    phone_number_id: event.phoneNumberId,
    ts: event.ts,
    instant: event.instant,
    ...(contact === null ? {} : contactFields(personOf(contact))),
    ...(contact === null || formerly === undefined ? {} : { formerly: personOf(formerly) }),
    ...(event.kind === 'message' ? messageFields(event) : otherFields(event)),
  }
}

function contactFields({ phone, userId, parentUserId, username, name }: Identity): Row {
  return { phone, user_id: userId, parent_user_id: parentUserId, username, name }
}

function messageFields(message: MessageEvent): Row {
  const { text, content } = message
  return {
    message_id: message.messageId,
    namespace: message.namespace,
    type: message.type,
    direction: message.direction,
    sender: message.from,
    recipient: message.to,
    text,
    folded: foldedOf(text),
    content: content === null ? null : JSON.stringify(content),
    reaction_to: content?.reaction?.message_id ?? null,
  }
}

function otherFields(event: Exclude<IncomingEvent, MessageEvent>): Row {
  const text = event.kind === 'edit' ? event.text : null
  return {
    type: typeOf(event),
    key: identityOf(event),
    message_id: messageOf(event),
    participant: event.kind === 'status' ? event.participant : null,
    text,
    folded: foldedOf(text),
    data: JSON.stringify(event.data ?? null),
  }
}

function jsonOf(runs: readonly (readonly Row[])[]): string {
  const json = JSON.stringify(runs)
  if (!LONE_SURROGATE.test(json)) return json
  return JSON.stringify(runs, (_, value) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  )
}
