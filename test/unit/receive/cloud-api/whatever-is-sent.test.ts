// Bodies that nobody would send, and any mixture of those that somebody does.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { IncomingEvent } from '../../../../src/app/model/event.ts'
import { parseCloudApi } from '../../../../src/app/receive/cloud-api.ts'
import { aStatus, aText, batch, change } from '../../../support/cloud-api.ts'
import { eventsIn, messagesIn, NOW } from '../../../support/read-batches.ts'

describe('whatever is sent', () => {
  const anyJson = fc.jsonValue({ maxDepth: 6 })
  const aValid = fc.constantFrom(
    () => ({ messages: [aText()] }),
    () => ({ statuses: [aStatus('A', 'sent')] }),
    () => ({ messages: [aText({ type: 'image', image: { id: '1' } })] }),
    () => ({ contacts: [{ wa_id: '1415', profile: { name: 'A' } }], messages: [aText()] }),
    () => ({ errors: [{ code: 1 }] }),
  )
  const aField = fc.constantFrom(
    ...['messages', 'smb_message_echoes', 'history', 'calls', 'standby', 'flows', 'nonsense'],
    ...['user_preferences', 'group_lifecycle_update', 'user_id_update', 'smb_app_state_sync'],
  )

  it('is at least one event, and never an exception', () => {
    const anyBody = fc.oneof(
      anyJson,
      fc.record({ object: anyJson, entry: anyJson }, { requiredKeys: [] }),
      fc.tuple(aField, anyJson).map(([field, value]) => batch({ field, value })),
      fc
        .tuple(
          aField,
          fc.constantFrom('messages', 'statuses', 'calls', 'groups', 'history'),
          anyJson,
        )
        .map(([field, list, item]) => batch(change({ [list]: [item, item] }, field))),
    )
    fc.assert(
      fc.property(anyBody, (body) => {
        const events = parseCloudApi(Buffer.from(JSON.stringify(body)), NOW)
        assert.ok(events.length > 0)
        JSON.stringify(events)
      }),
      { numRuns: 1000 },
    )
  })

  it('of odd shape, never harms its neighbours', () => {
    const anItem = fc.oneof(
      anyJson,
      fc.record({
        ...{ id: anyJson, type: anyJson, text: anyJson, from: anyJson, timestamp: anyJson },
      }),
      fc
        .tuple(fc.constantFrom('id', 'type', 'text', 'from', 'timestamp', 'context'), anyJson)
        .map(([name, value]) => aText({ [name]: value })),
    )
    const neighbours = [aText({ id: 'first' }), aText({ id: 'last' })]
    const expected = messagesIn(...neighbours)
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 5 }), (odd) => {
        const events = messagesIn(neighbours[0], ...odd, neighbours[1])
        assert.deepEqual([events[0], events.at(-1)], expected)
        assert.equal(events.length, odd.length + 2)
      }),
      { numRuns: 300 },
    )
  })

  it('has the same identities however it is put into batches', () => {
    fc.assert(
      fc.property(fc.array(aValid, { minLength: 1, maxLength: 6 }), (makers) => {
        const changes = makers.map((make) => change(make()))
        const identities = (events: readonly IncomingEvent[]) =>
          events.map(({ kind, ...event }) => JSON.stringify([kind, event]))
        const together = eventsIn(batch(...changes))
        const apart = changes.flatMap((each) => eventsIn(batch(each)))
        assert.deepEqual(identities(together), identities(apart))
      }),
    )
  })
})
