// What nobody told us of is kept, beside what is read.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aText, batch, change, type Fields } from '../../../support/cloud-api.ts'
import { eventsIn } from '../../../support/read-batches.ts'

describe('a batch', () => {
  it('keeps lists that nobody told us of beside the ones that are read', () => {
    const surprise = { surprise: [{ id: 1 }], more: [2] }
    for (const [field, known] of [
      ['messages', { messages: [aText()], contacts: [{ wa_id: '14155550100' }] }],
      ['messages', { errors: [{ code: 1 }], surprise_of_relays: null, empty: [] }],
      ['smb_message_echoes', { message_echoes: [aText()] }],
      ['history', { history: [{ threads: [{ messages: [aText()] }] }] }],
      ['calls', { calls: [{ id: 'c', event: 'connect' }] }],
      ['standby', { standby: { messages: [aText()] } }],
      ['user_preferences', { user_preferences: [{ wa_id: '14155550100' }] }],
    ] as const) {
      const expected = eventsIn(batch(change(known, field)))
      const events = eventsIn(batch(change({ ...known, ...surprise }, field)))
      const unknown = events.filter(({ kind }) => kind === 'unknown')
      assert.deepEqual(
        events.filter((event) => !unknown.includes(event)),
        expected,
      )
      assert.equal(unknown.length, 1, field)
      assert.partialDeepStrictEqual(unknown[0], { type: field, data: surprise })
    }
  })

  it('keeps such lists beside the changes of an entry and beside the entries', () => {
    const object = 'whatsapp_business_account'
    const entry = { id: '1', time: 7, changes: [change({ messages: [aText()] })] }
    const expected = eventsIn({ object, entry: [entry] })
    const lists = { messaging: [{ sender: { id: '1' } }] }
    const others = { empty: [], word: 'x' }
    const events = eventsIn({
      object,
      entry: [{ ...entry, ...lists, ...others }],
      ...lists,
      ...others,
    })
    assert.deepEqual(events.slice(0, 1), expected)
    assert.deepEqual(
      events.slice(1).map((event) => event.kind === 'unknown' && [event.type, event.data]),
      [
        ['entry', { id: '1', time: 7, ...lists }],
        ['body', { entry: [{ id: '1', time: 7 }], ...lists }],
      ],
    )
  })

  it('keeps objects that nobody told us of too, apart from the lists', () => {
    const summary = { conversation_context: { type: 'summary', summary: { text: 'x' } } }
    const nothing = { word: 'x', none: null, empty: {} }
    const object = 'whatsapp_business_account'
    const bodies = (more: Fields): readonly unknown[] => [
      batch(change({ messages: [aText({ id: 'x' })], ...more })),
      batch({ ...change({ messages: [aText({ id: 'x' })] }), ...more }),
      batch(change({ standby: { messages: [aText({ id: 'x' })], ...more } }, 'standby')),
      { object, entry: [{ changes: [change({ messages: [aText({ id: 'x' })] })], ...more }] },
      { ...batch(change({ messages: [aText({ id: 'x' })] })), ...more },
    ]
    const plain = bodies({}).map(eventsIn)
    const without = bodies(nothing).map(eventsIn)
    const withObject = bodies({ ...summary, ...nothing }).map(eventsIn)
    const withLists = bodies({ surprise: [1] }).map(eventsIn)
    const withBoth = bodies({ surprise: [1], ...summary }).map(eventsIn)
    assert.equal(plain.length, 5)
    for (const [place, expected] of plain.entries()) {
      assert.deepEqual(without[place], expected)
      const [first, unknown, ...others] = withObject[place] ?? []
      assert.deepEqual([first, ...others], expected)
      assert.equal(unknown?.kind, 'unknown')
      assert.match(JSON.stringify(unknown.data), /"conversation_context":\{"type":"summary"/)
      // What is known as it was by earlier rules is known again.
      assert.deepEqual(withBoth[place], [...(withLists[place] ?? []), unknown])
    }
  })

  it('keeps objects of a thread of a history but whom it is with', () => {
    const eventsOf = (more: Fields) => {
      const threads = [{ id: '14155550100', messages: [aText({ id: 'x' })], ...more }]
      return eventsIn(batch(change({ history: [{ threads }] }, 'history')))
    }
    const context = { username: '@ann' }
    assert.equal(eventsOf({ context }).length, 2)
    const [, , unknown, ...others] = eventsOf({ context, new_thing: { a: 1 } })
    assert.deepEqual(others, [])
    assert.partialDeepStrictEqual(unknown, {
      kind: 'unknown',
      data: { id: '14155550100', new_thing: { a: 1 } },
    })
    assert.equal(eventsOf({ context: [1] }).length, 3)
  })

  it('keeps such lists inside of a standby', () => {
    const standby = { messages: [aText()], contacts: [{ wa_id: '14155550100' }] }
    const expected = eventsIn(batch(change({ standby }, 'standby')))
    const reads = { reads: [{ watermark: 1 }] }
    const [copy, unknown, ...others] = eventsIn(
      batch(change({ standby: { ...standby, ...reads } }, 'standby')),
    )
    assert.deepEqual([copy, ...others], expected)
    assert.partialDeepStrictEqual(unknown, { type: 'standby', data: { standby: reads } })
  })

  it('keeps lists beside the value, in a thread of a history, and of two bodies each', () => {
    const beside = { ...change({ messages: [aText()] }), more: [1] }
    assert.partialDeepStrictEqual(eventsIn(batch(beside))[1], {
      kind: 'unknown',
      data: { more: [1] },
    })
    const threads = [{ id: '14155550100', messages: [aText()], more: [1] }]
    const history = batch(
      change({ history: [{ threads, messages: [aText({ id: 'x' })] }] }, 'history'),
    )
    const events = eventsIn(history)
    assert.partialDeepStrictEqual(
      events.find(({ kind }) => kind === 'unknown'),
      { data: { id: '14155550100', more: [1] } },
    )
    assert.ok(events.some((event) => event.kind === 'message' && event.messageId === 'x'))
    const keys = ['1', '2'].map((id) => {
      const entry = [{ id, changes: [change({ messages: [aText()] })] }]
      const [, odd] = eventsIn({
        object: 'whatsapp_business_account',
        entry,
        warnings: [{ code: 7 }],
      })
      return odd?.kind === 'unknown' && odd.key
    })
    assert.notEqual(keys[0], keys[1])
  })

  it('keeps the chunks of a history that are none, and what stands in the place of their lists', () => {
    const kept = (...history: readonly unknown[]) =>
      eventsIn(batch(change({ history }, 'history'))).map(
        (event) => 'data' in event && [event.kind, event.data],
      )
    assert.deepEqual(kept('odd one', 'odd two', 7, null), [
      ['unknown', 'odd one'],
      ['unknown', 'odd two'],
      ['unknown', 7],
      ['unknown', null],
    ])
    const metadata = { phase: 0, chunk_order: 1 }
    assert.deepEqual(
      kept(
        { metadata, threads: 'odd three', messages: 4 },
        { metadata, threads: [], messages: null },
        { threads: '', messages: [] },
      ),
      [
        ['history', { metadata, threads: 'odd three', messages: 4 }],
        ['history', { metadata }],
        ['history', {}],
      ],
    )
    const keys = eventsIn(batch(change({ history: ['odd one', 'odd two'] }, 'history'))).map(
      (event) => 'key' in event && event.key,
    )
    assert.equal(new Set(keys).size, 2)
  })

  it('keeps what comes with an error in a field nobody told us of', () => {
    const events = eventsIn(
      batch(change({ errors: [{ code: 1 }], surprise: 'x' }, 'brand_new_field')),
    )
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['unknown', 'error'],
    )
    assert.partialDeepStrictEqual(events[0], { data: { surprise: 'x' } })
  })
})
