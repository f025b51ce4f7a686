// Batches of the Cloud API as they enter the store.
import { CURRENT_RULES, type Intake, type Rules } from '../../src/app/model/event.ts'
import { parseCloudApi } from '../../src/app/receive/cloud-api.ts'
import { aText, at, batch, change, type Fields, metaJson } from './cloud-api.ts'

/** When every batch arrives: what is derived from it is the same in every test. */
export const ARRIVAL = Date.parse('2025-01-15T12:00:00Z')

/** The intake of one batch of changes. */
export function intakeWith(...changes: readonly unknown[]): Intake {
  return intakeOf(metaJson(batch(...changes)))
}

/**
 * The intake of one message with this id, so many seconds after those that say no time, and with the
 * profile of who it is from, if one is given.
 */
export function saidAt(second: number, id: string, fields: Fields, profile?: Fields): Intake {
  const contact = { wa_id: fields['from'], user_id: fields['from_user_id'], profile }
  const contacts = profile === undefined ? {} : { contacts: [contact] }
  return intakeWith(change({ messages: [aText({ ...fields, id, ...at(second) })], ...contacts }))
}

/** The intake of a body, as these rules have it. */
export function intakeOf(given: string | Buffer, rules: Rules = CURRENT_RULES): Intake {
  const body = Buffer.from(given)
  const events = parseCloudApi(body, ARRIVAL, rules)
  return { provider: 'cloud-api', body, headers: {}, receivedAt: ARRIVAL, events }
}
