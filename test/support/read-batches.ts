// Batches of the Cloud API as the service reads them, all of them at one moment.
import assert from 'node:assert/strict'
import type { IncomingEvent, MessageEvent } from '../../src/app/model/event.ts'
import { parseCloudApi } from '../../src/app/receive/cloud-api.ts'
import { aText, batch, change, type Fields, metaJson } from './cloud-api.ts'

/** When each batch arrives. */
export const NOW = Date.parse('2025-01-15T10:00:05.250Z')

/** The events of a body. */
export function eventsIn(value: unknown): readonly IncomingEvent[] {
  return parseCloudApi(Buffer.from(metaJson(value)), NOW)
}

/** The event of a body that is one. */
export function onlyEventIn(value: unknown): IncomingEvent {
  const [event, ...others] = eventsIn(value)
  assert.ok(event)
  assert.equal(others.length, 0)
  return event
}

/** The events of one change with these messages. */
export function messagesIn(...messages: readonly unknown[]): readonly IncomingEvent[] {
  return eventsIn(batch(change({ messages })))
}

/** What becomes of a text message with these fields in the place of its own. */
export function messageWith(fields: Fields): MessageEvent {
  const event = onlyEventIn(batch(change({ messages: [aText(fields)] })))
  assert.equal(event.kind, 'message')
  return event
}
