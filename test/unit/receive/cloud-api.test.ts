import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { IncomingEvent, MessageEvent } from '../../../src/app/model/event.ts'
import { parseCloudApi } from '../../../src/app/receive/cloud-api.ts'
import { aStatus, aText, BUSINESS, batch, change, metaJson } from '../../support/cloud-api.ts'

const NOW = Date.parse('2025-01-15T10:00:05.250Z')
type Fields = Readonly<Record<string, unknown>>

function parse(value: unknown): readonly IncomingEvent[] {
  return parseCloudApi(Buffer.from(metaJson(value)), NOW)
}

function messagesIn(...messages: readonly unknown[]): readonly IncomingEvent[] {
  return parse(batch(change({ messages })))
}

function message(fields: Fields): MessageEvent {
  const [event, ...others] = messagesIn(aText(fields))
  assert.equal(others.length, 0)
  assert.equal(event?.kind, 'message')
  return event
}

function only(value: unknown): IncomingEvent {
  const [event, ...others] = parse(value)
  assert.ok(event)
  assert.equal(others.length, 0)
  return event
}

describe('a batch', () => {
  it('becomes an event for each item of each change of each entry', () => {
    const entry = (id: string, ...changes: unknown[]) => ({ id, changes })
    const events = parse({
      object: 'whatsapp_business_account',
      entry: [
        entry('1', change({ messages: [aText({ id: 'a' }), aText({ id: 'b' })] })),
        entry(
          '2',
          change({ messages: [aText({ id: 'c' })], statuses: [aStatus('d', 'sent')] }),
          change({ errors: [{ code: 130429 }] }),
          change({ event: 'ACCOUNT_DELETED' }, 'account_update'),
        ),
      ],
    })
    assert.deepEqual(
      events.map((event) => ('messageId' in event ? event.messageId : event.type)),
      ['a', 'b', 'c', 'd', 'messages:130429', 'account_update:ACCOUNT_DELETED'],
    )
  })

  it('with more items than any batch has is one event that keeps it as it is', () => {
    const itemsOf = (count: number) =>
      metaJson(batch(change({ messages: Array.from({ length: count }, () => 1) })))
    // The entry and its change are items of lists too.
    assert.equal(parseCloudApi(Buffer.from(itemsOf(49_998)), NOW).length, 49_998)
    const body = itemsOf(49_999)
    const [event, ...others] = parseCloudApi(Buffer.from(body), NOW)
    assert.equal(others.length, 0)
    assert.equal(event?.kind, 'unknown')
    assert.equal(event.type, 'oversized')
    assert.deepEqual(event.data, { unparsed: body })
    assert.equal(parseCloudApi(Buffer.from(body), NOW, 1).length, 49_999)
  })

  it('that is not JSON is one event, whatever its bytes are', () => {
    for (const bytes of ['', '{', 'null', '[]', '7', '\xff', `${'['.repeat(9000)}`]) {
      const events = parseCloudApi(Buffer.from(bytes, 'latin1'), NOW)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['unknown'],
      )
    }
  })

  it('that is no text is told from every other one, and known again', () => {
    const keyOf = (hex: string) => {
      const [event] = parseCloudApi(Buffer.from(hex, 'hex'), NOW)
      assert.partialDeepStrictEqual(event, { kind: 'unknown', type: 'unparsed' })
      return event !== undefined && 'key' in event && event.key
    }
    const keys = ['7bff7d', '7bfe7d', '7befbfbd7d'].map(keyOf)
    assert.equal(new Set(keys).size, 3)
    assert.equal(keyOf('7bff7d'), keys[0])
  })

  it('of another object, or without anything in it, is one event', () => {
    for (const body of [{}, { object: 'page', entry: [{ id: '1' }] }, batch(), { entry: [] }]) {
      assert.equal(only(body).kind, 'unknown')
    }
  })

  it('is read without its object, with the field inside the value or beside it', () => {
    const value = { metadata: BUSINESS, messages: [aText({ id: 'x' })] }
    for (const odd of [
      { entry: [{ changes: [{ value, field: 'messages' }] }] },
      { entry: [{ changes: [{ value: { ...value, field: 'messages' } }] }] },
      { entry: [{ field: 'messages', changes: [{ value }] }] },
      { entry: { changes: { value } } },
    ]) {
      const event = only(odd)
      assert.equal(event.kind === 'message' && event.messageId, 'x')
    }
  })

  it('keeps an unknown field as it is, once', () => {
    const odd = change({ surprise: [1, 2] }, 'brand_new_field')
    const event = only(batch(odd))
    assert.equal(event.kind, 'unknown')
    assert.partialDeepStrictEqual(event, { type: 'brand_new_field', data: odd['value'] })
    const [again] = parse(batch(odd))
    assert.deepEqual(again, event)
  })

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
      const expected = parse(batch(change(known, field)))
      const events = parse(batch(change({ ...known, ...surprise }, field)))
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
    const expected = parse({ object, entry: [entry] })
    const lists = { messaging: [{ sender: { id: '1' } }] }
    const others = { empty: [], word: 'x' }
    const events = parse({
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
    const plain = bodies({}).map(parse)
    const without = bodies(nothing).map(parse)
    const withObject = bodies({ ...summary, ...nothing }).map(parse)
    const withLists = bodies({ surprise: [1] }).map(parse)
    const withBoth = bodies({ surprise: [1], ...summary }).map(parse)
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
      return parse(batch(change({ history: [{ threads }] }, 'history')))
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
    const expected = parse(batch(change({ standby }, 'standby')))
    const reads = { reads: [{ watermark: 1 }] }
    const [copy, unknown, ...others] = parse(
      batch(change({ standby: { ...standby, ...reads } }, 'standby')),
    )
    assert.deepEqual([copy, ...others], expected)
    assert.partialDeepStrictEqual(unknown, { type: 'standby', data: { standby: reads } })
  })

  it('tells apart what only differs in the digits of a long number', () => {
    const parsed = (text: string, digits: string) =>
      parseCloudApi(Buffer.from(text.replace('"DIGITS"', digits)), NOW)
    const aMessage = metaJson(batch(change({ messages: [aText({ id: 'DIGITS' })] })))
    const ids = ['9007199254740992', '9007199254740993']
    assert.deepEqual(
      ids
        .flatMap((id) => parsed(aMessage, id))
        .map((event) => 'messageId' in event && event.messageId),
      ids,
    )
    const value = { event: 'APPROVED', message_template_id: 'DIGITS' }
    const aNotice = metaJson(batch(change(value, 'message_template_status_update')))
    const notices = ['112233445566778801', '112233445566778802'].map((id) => parsed(aNotice, id)[0])
    assert.partialDeepStrictEqual(notices[0], {
      data: { message_template_id: '112233445566778801' },
    })
    const [one, other] = notices.map((event) => event?.kind === 'template' && event.key)
    assert.notEqual(one, other)
  })

  it('keeps a change without any item as it ever did: whole, and of its kind', () => {
    const value = { reason: 'quota', surprise: [{ a: 1 }] }
    for (const [field, kind] of [
      ['calls', 'call'],
      ['history', 'history'],
      ['standby', 'handover'],
      ['messages', 'unknown'],
      ['smb_message_echoes', 'unknown'],
    ] as const) {
      const odd = change(value, field)
      const event = only(batch(odd))
      assert.equal(event.kind, kind, field)
      const data = kind === 'unknown' ? odd : odd['value']
      assert.partialDeepStrictEqual(event, { data }, field)
    }
  })

  it('keeps lists beside the value, in a thread of a history, and of two bodies each', () => {
    const beside = { ...change({ messages: [aText()] }), more: [1] }
    assert.partialDeepStrictEqual(parse(batch(beside))[1], { kind: 'unknown', data: { more: [1] } })
    const threads = [{ id: '14155550100', messages: [aText()], more: [1] }]
    const history = batch(
      change({ history: [{ threads, messages: [aText({ id: 'x' })] }] }, 'history'),
    )
    const events = parse(history)
    assert.partialDeepStrictEqual(
      events.find(({ kind }) => kind === 'unknown'),
      { data: { id: '14155550100', more: [1] } },
    )
    assert.ok(events.some((event) => event.kind === 'message' && event.messageId === 'x'))
    const keys = ['1', '2'].map((id) => {
      const entry = [{ id, changes: [change({ messages: [aText()] })] }]
      const [, odd] = parse({ object: 'whatsapp_business_account', entry, warnings: [{ code: 7 }] })
      return odd?.kind === 'unknown' && odd.key
    })
    assert.notEqual(keys[0], keys[1])
  })

  it('keeps the chunks of a history that are none, and what stands in the place of their lists', () => {
    const kept = (...history: readonly unknown[]) =>
      parse(batch(change({ history }, 'history'))).map(
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
    const keys = parse(batch(change({ history: ['odd one', 'odd two'] }, 'history'))).map(
      (event) => 'key' in event && event.key,
    )
    assert.equal(new Set(keys).size, 2)
  })

  it('keeps what comes with an error in a field nobody told us of', () => {
    const events = parse(batch(change({ errors: [{ code: 1 }], surprise: 'x' }, 'brand_new_field')))
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['unknown', 'error'],
    )
    assert.partialDeepStrictEqual(events[0], { data: { surprise: 'x' } })
  })
})

describe('a message', () => {
  it('is from its sender to the number of the business, at its own time', () => {
    assert.partialDeepStrictEqual(message({ id: 'wamid.A' }), {
      messageId: 'wamid.A',
      namespace: '',
      type: 'text',
      direction: 'inbound',
      from: '+14155550100',
      to: '+14155550101',
      ts: '2025-01-15T10:00:00Z',
      instant: '2025-01-15T10:00:00',
      phoneNumberId: BUSINESS.phone_number_id,
      text: 'Hello',
      content: null,
    })
  })

  it('takes its time as text, number or milliseconds, and else when it arrived', () => {
    for (const [timestamp, ts] of [
      ['1736935200', '2025-01-15T10:00:00Z'],
      [1736935200, '2025-01-15T10:00:00Z'],
      ['1736935200123', '2025-01-15T10:00:00.123Z'],
      [null, '2025-01-15T10:00:05.250Z'],
      ['soon', '2025-01-15T10:00:05.250Z'],
      [-1, '2025-01-15T10:00:05.250Z'],
      [1e300, '2025-01-15T10:00:05.250Z'],
    ] as const) {
      assert.equal(message({ timestamp }).ts, ts)
    }
  })

  it('of somebody without a phone number is from their id', () => {
    for (const from of [undefined, null, '']) {
      const event = message({ from, from_user_id: 'US.1349', from_parent_user_id: 'US.ENT.7' })
      assert.equal(event.from, 'US.1349')
      assert.partialDeepStrictEqual(event.contact, {
        phone: null,
        userId: 'US.1349',
        parentUserId: 'US.ENT.7',
      })
    }
    assert.equal(message({ from: 'US.1349' }).contact?.userId, 'US.1349')
  })

  it('without any sender at all is kept', () => {
    const event = message({ from: '' })
    assert.equal(event.from, '')
    assert.equal(event.contact, null)
  })

  it('takes the profile of its sender, and of nobody else', () => {
    const contacts = [
      { profile: { name: 'Anna', username: '@anna' }, wa_id: '14155550100', user_id: 'US.1' },
      { profile: { name: 'Ben' }, wa_id: '14155550102' },
    ]
    const messages = ['14155550102', '14155550100', '14155550103'].map((from) => aText({ from }))
    const names = parse(batch(change({ contacts, messages }))).map(({ contact }) => contact?.name)
    assert.deepEqual(names, ['Ben', 'Anna', null])
    const [first] = parse(batch(change({ contacts, messages: messages.slice(1, 2) })))
    assert.partialDeepStrictEqual(first?.contact, { username: 'anna', userId: 'US.1' })
  })

  for (const [type, part, text] of [
    ['image', { id: 'm', caption: 'A view' }, 'A view'],
    ['document', { id: 'm', caption: 'Bill', filename: 'bill.pdf' }, 'Bill\nbill.pdf'],
    ['audio', { id: 'm', voice: true }, null],
    ['sticker', { id: 'm', animated: true }, null],
    ['location', { latitude: 1, longitude: 2, name: 'Cafe', address: 'Road 1' }, 'Cafe\nRoad 1'],
    ['button', { payload: 'p', text: 'Stop' }, 'Stop'],
    ['interactive', { type: 'button_reply', button_reply: { id: '1', title: 'Yes' } }, 'Yes'],
    [
      'interactive',
      { type: 'list_reply', list_reply: { id: '1', title: 'Mail', description: 'Two days' } },
      'Mail\nTwo days',
    ],
    ['interactive', { type: 'nfm_reply', nfm_reply: { body: 'Sent' } }, 'Sent'],
    ['reaction', { message_id: 'x', emoji: '👍' }, '👍'],
    ['reaction', { message_id: 'x' }, null],
    ['order', { catalog_id: 'c', text: 'Two please' }, 'Two please'],
    ['system', { body: 'changed', type: 'customer_identity_changed' }, 'changed'],
    ['unsupported', { type: 'poll_creation' }, null],
  ] as const) {
    it(`of type ${type} says ${JSON.stringify(text)}`, () => {
      const event = message({ type, text: undefined, [type]: part })
      assert.equal(event.type, type)
      assert.equal(event.text, text)
      assert.equal(event.content?.raw, undefined)
    })
  }

  it('with contacts says their names', () => {
    const contacts = [{ name: { formatted_name: 'Anna A' } }, { name: { first_name: 'Ben' } }]
    assert.equal(message({ type: 'contacts', contacts }).text, 'Anna A, Ben')
  })

  it('with a contact that has a vCard only says the name in that', () => {
    const nameIn = (...lines: readonly string[]) => {
      const vcard = ['BEGIN:VCARD', 'VERSION:3.0', ...lines, 'END:VCARD'].join('\n')
      return message({ type: 'contacts', contacts: [{ vcard, phones: [] }] }).text
    }
    assert.equal(nameIn('N:A;Ann;;;', 'FN:Ann A', 'TEL;TYPE=CELL:14155550102'), 'Ann A')
    assert.equal(nameIn('item1.fn;CHARSET=UTF-8:Ann A\r'), 'Ann A')
    assert.equal(nameIn('FN:Ann\\, the first\\; A\\\\B'), 'Ann, the first; A\\B')
    assert.equal(nameIn('FN:Ann\r', '  A'), 'Ann A')
    for (const none of ['FN:', 'FN', 'NOTE:x FN:Ann', 'FNX:Ann', 'FN: ']) {
      assert.equal(nameIn(none), null)
    }
    const vcard = 'FN:Other'
    const contacts = [{ name: { formatted_name: 'Ann' }, vcard }, { vcard }, { vcard: 7 }, null]
    assert.equal(message({ type: 'contacts', contacts }).text, 'Ann, Other')
  })

  it('with a file tells its kind and until when it can be fetched', () => {
    const voice = { id: '7', mime_type: 'audio/ogg', sha256: 'x=', url: 'https://example.com/7' }
    assert.deepEqual(message({ type: 'voice', text: undefined, voice }).content, {
      media: {
        kind: 'audio',
        id: '7',
        mime_type: 'audio/ogg',
        sha256: 'x=',
        caption: null,
        file_name: null,
        voice: true,
        animated: false,
        url: 'https://example.com/7',
        url_expires_at: '2025-01-15T10:05:05.250Z',
        id_expires_at: '2025-01-22T10:00:05.250Z',
      },
    })
  })

  it('tells a reaction from its removal', () => {
    const reaction = (emoji: unknown) =>
      message({ type: 'reaction', reaction: { message_id: 'x', emoji } }).content?.reaction
    assert.deepEqual(reaction('🎉'), { message_id: 'x', emoji: '🎉' })
    for (const none of ['', null, undefined]) {
      assert.deepEqual(reaction(none), { message_id: 'x', emoji: null })
    }
  })

  it("parses a flow's answers, where they are JSON", () => {
    const responseIn = (json: string) => {
      const nfm = { type: 'nfm_reply', nfm_reply: { response_json: json } }
      const { interactive } = message({ type: 'interactive', interactive: nfm }).content ?? {}
      return (interactive as { nfm_reply: { response?: unknown } }).nfm_reply.response
    }
    assert.deepEqual(responseIn('{"a":[1]}'), { a: [1] })
    assert.deepEqual(responseIn('{"a":9007199254740993}'), { a: '9007199254740993' })
    assert.equal(responseIn('no JSON'), undefined)
    assert.equal(responseIn('['.repeat(5000)), undefined)
  })

  it('tells what it replies to, and whether it was forwarded', () => {
    const context = { from: '14155550101', id: 'wamid.B', forwarded: true }
    assert.partialDeepStrictEqual(message({ context }).content?.context, {
      message_id: 'wamid.B',
      forwarded: true,
      frequently_forwarded: false,
    })
    const referral = { source_type: 'ad', source_id: '1' }
    assert.deepEqual(message({ referral }).content?.context?.referral, referral)
  })

  it('of a type nobody knows, or of a shape its type does not have, is kept whole', () => {
    for (const odd of [
      { type: 'hologram', hologram: { x: 1 } },
      { type: 'text', text: 'no object' },
      { type: 'text', text: { body: 7 } },
      { type: 'image', image: null },
      { type: 'contacts', contacts: 'none' },
      { type: 7 },
    ]) {
      const item = aText(odd)
      const [event] = messagesIn(item)
      assert.equal(event?.kind, 'message')
      assert.deepEqual(event.content?.raw, item)
      assert.equal(event.text, null)
    }
  })

  it('keeps under their names what nothing else has a place for', () => {
    const text = { body: 'Hello', preview: { title: 'x' } }
    const others = { brand_new: [1], from_logical_id: '7', recipient_type: 'group' }
    const context = { id: 'wamid.B', quoted_type: 'image' }
    assert.deepEqual(message({ text, context, ...others }).content?.extra, {
      ...others,
      text: { preview: { title: 'x' } },
      context: { quoted_type: 'image' },
    })
    const image = { id: '7', caption: 'A view', width: 640 }
    assert.deepEqual(message({ type: 'image', text: undefined, image }).content?.extra, {
      image: { width: 640 },
    })
    const reaction = { message_id: 'x', emoji: '🎉', skin: 1 }
    assert.deepEqual(message({ type: 'reaction', text: undefined, reaction }).content?.extra, {
      reaction: { skin: 1 },
    })
    const order = { catalog_id: 'c', brand_new: 1 }
    const ordered = message({ type: 'order', text: undefined, order, origin: 'other' })
    assert.deepEqual(ordered.content, { order, extra: { origin: 'other' } })
    const odd = { message: { hint: 1 }, context: 'of another shape' }
    assert.deepEqual(message(odd).content?.extra, odd)
    const unsupported = { type: 'unsupported', text: undefined, unsupported: 'poll' }
    assert.deepEqual(message(unsupported).content, { extra: { unsupported: 'poll' } })
  })

  it('keeps what its contact has beside the names and addresses of a person', () => {
    const extrasOf = (messages: readonly Fields[], ...contacts: readonly Fields[]) =>
      parse(batch(change({ contacts, messages }))).map(
        (event) => event.kind === 'message' && event.content?.extra,
      )
    const known = { wa_id: '14155550100', user_id: 'US.1', parent_user_id: 'US.ENT.1' }
    const profile = { name: 'Ann', username: '@ann' }
    const ann = {
      ...{ ...known, profile: { ...profile, country_code: 'US', none: '' } },
      ...{ identity_key_hash: 'x=', none: null },
    }
    const extra = { contact: { identity_key_hash: 'x=', profile: { country_code: 'US' } } }
    assert.deepEqual(extrasOf([aText()], ann), [extra])
    assert.deepEqual(extrasOf([aText({ origin: 'other' })], ann), [{ origin: 'other', ...extra }])
    const odd = aText({ type: 'hologram', hologram: {}, text: undefined })
    const ofOther = aText({ from: '14155550102' })
    assert.deepEqual(extrasOf([odd, ofOther], ann), [extra, undefined])
    assert.deepEqual(extrasOf([aText()], { ...known, profile }), [undefined])
    assert.deepEqual(extrasOf([aText()], { ...known, profile: 'Ann' }), [
      { contact: { profile: 'Ann' } },
    ])
    const echo = aText({ from: '14155550101', to: '14155550100' })
    const event = only(
      batch(change({ message_echoes: [echo], contacts: [ann] }, 'smb_message_echoes')),
    )
    assert.deepEqual(event.kind === 'message' && event.content, { extra })
  })

  it('has nothing left over where all there is has a place, or says nothing, or is kept whole', () => {
    const known = { from_user_id: 'US.1', from_parent_user_id: null, group_id: 'g', referral: {} }
    const context = { from: '14155550101', id: 'wamid.B', forwarded: true }
    assert.equal(message({ ...known, context, none: null, empty: '' }).content?.extra, undefined)
    assert.equal(message({ type: 'hologram', hologram: { x: 1 } }).content?.extra, undefined)
    const copy = { timestamp: '1736935200', message: aText() }
    const [event] = parse(batch(change({ standby: { messages: [copy] } }, 'standby')))
    assert.equal(event?.kind === 'message' && event.content, null)
  })

  it('without an id that could be one is kept as something unknown', () => {
    for (const id of [undefined, null, '', {}, 'x'.repeat(600)]) {
      const item = aText({ id })
      const [event] = messagesIn(item)
      assert.equal(event?.kind, 'unknown')
      assert.equal(metaJson(event.data), metaJson(item))
    }
    assert.deepEqual(
      messagesIn(null, 7, 'x', []).map(({ kind }) => kind),
      ['unknown', 'unknown', 'unknown', 'unknown'],
    )
  })

  it('shows no lone surrogate and no U+0000 in what is shown as text', () => {
    const body = Buffer.from(metaJson(batch(change({ messages: [aText()] }))))
    const odd = body.toString().replace('Hello', 'a\\ud83d\\u0000b')
    const [event] = parseCloudApi(Buffer.from(odd), NOW)
    assert.equal(event?.kind === 'message' && event.text, 'a\ufffd\ufffdb')
  })

  it('that is edited or revoked is an event on the first one', () => {
    const edit = { original_message_id: 'A', message: { type: 'text', text: { body: 'New' } } }
    const [edited] = messagesIn(aText({ id: 'E', type: 'edit', edit, text: undefined }))
    assert.partialDeepStrictEqual(edited, { kind: 'edit', messageId: 'A', key: 'E', text: 'New' })
    const revoke = { original_message_id: 'A' }
    const [revoked] = messagesIn(aText({ id: 'R', type: 'revoke', revoke, text: undefined }))
    assert.partialDeepStrictEqual(revoked, { kind: 'revoke', messageId: 'A', key: 'R' })
  })

  it('about a new number says who that person was before', () => {
    const system = { type: 'user_changed_number', wa_id: '14155550199', body: 'changed' }
    const event = message({ type: 'system', text: undefined, system })
    assert.equal(event.contact?.phone, '+14155550199')
    assert.equal(event.formerly?.phone, '+14155550100')
  })

  it('about a new id or number is from that, where it names no sender', () => {
    const fromOf = (system: Fields, contacts: readonly Fields[] = []) => {
      const item = aText({ from: undefined, type: 'system', text: undefined, system })
      const event = only(batch(change({ messages: [item], contacts })))
      return event.kind === 'message' && event.from
    }
    const newId = { type: 'user_changed_user_id', user_id: 'US.2' }
    assert.equal(fromOf(newId), 'US.2')
    assert.equal(fromOf({ type: 'user_changed_number', wa_id: '14155550199' }), '+14155550199')
    assert.equal(fromOf(newId, [{ wa_id: '14155550100' }]), '+14155550100')
    assert.equal(fromOf({ type: 'customer_identity_changed' }), '')
  })
})

describe('what the business sent', () => {
  it('is an outbound message where it comes back as an echo, in a namespace of its own', () => {
    const echo = aText({ id: 'X', from: '14155550101', to: '14155550100' })
    const event = only(batch(change({ message_echoes: [echo] }, 'smb_message_echoes')))
    assert.partialDeepStrictEqual(event, {
      kind: 'message',
      namespace: 'echo',
      direction: 'outbound',
      from: '+14155550101',
      to: '+14155550100',
    })
    assert.equal(event.contact?.phone, '+14155550100')
  })

  it('and what it received is told apart in a history', () => {
    const threads = [
      {
        id: '14155550100',
        messages: [aText({ from: '14155550101' }), aText({ from: '14155550100' })],
      },
    ]
    const metadata = { phase: 0, chunk_order: 1, progress: 5 }
    const events = parse(batch(change({ history: [{ metadata, threads }] }, 'history')))
    assert.deepEqual(
      events.map((event) => (event.kind === 'message' ? event.direction : event.kind)),
      ['history', 'outbound', 'inbound'],
    )
    assert.equal(events[1]?.contact?.phone, '+14155550100')
  })

  it('has the status that a history gives it, and what it received has none', () => {
    const statusesOf = (from: string, history_context: unknown) => {
      const threads = [{ id: '14155550100', messages: [aText({ id: 'A', from, history_context })] }]
      return parse(batch(change({ history: [{ threads }] }, 'history'))).filter(
        ({ kind }) => kind === 'status',
      )
    }
    for (const [word, status] of [
      ['READ', 'read'],
      ['PLAYED', 'played'],
      ['ERROR', 'failed'],
      ['brand_new', 'brand_new'],
    ]) {
      const [event, ...others] = statusesOf('14155550101', { status: word })
      assert.deepEqual(others, [])
      assert.partialDeepStrictEqual(event, {
        messageId: 'A',
        status,
        participant: '',
        ts: '2025-01-15T10:00:05.250Z',
        data: { status: word },
      })
    }
    assert.deepEqual(statusesOf('14155550100', { status: 'READ' }), [])
    for (const none of [undefined, null, 'READ', {}, { status: '' }, { status: {} }]) {
      assert.deepEqual(statusesOf('14155550101', none), [])
    }
  })

  it('has statuses, of which a group has one for each participant', () => {
    const event = only(batch(change({ statuses: [aStatus('A', 'failed', { errors: [{}] })] })))
    assert.partialDeepStrictEqual(event, {
      kind: 'status',
      messageId: 'A',
      status: 'failed',
      participant: '',
      data: { errors: [{}] },
    })
    const group = { recipient_type: 'group', recipient_id: 'G' }
    const statuses = [
      aStatus('A', 'read', { ...group, recipient_participant_id: '14155550102' }),
      aStatus('A', 'read', { ...group, recipient_participant_user_id: 'US.9' }),
    ]
    assert.deepEqual(
      parse(batch(change({ statuses }))).map((each) => 'participant' in each && each.participant),
      ['+14155550102', 'US.9'],
    )
  })

  it('has one for each participant that is named, also where nothing says that it is a group', () => {
    const participantsOf = (...items: readonly Fields[]) =>
      parse(batch(change({ statuses: items.map((fields) => aStatus('A', 'read', fields)) }))).map(
        (each) => each.kind === 'status' && [each.participant, each.contact?.phone],
      )
    const one = { recipient_id: 'G', recipient_participant_id: '14155550102' }
    assert.deepEqual(
      participantsOf(
        one,
        { ...one, recipient_participant_id: '14155550103' },
        { ...one, recipient_type: '' },
      ),
      [
        ['+14155550102', '+14155550102'],
        ['+14155550103', '+14155550103'],
        ['+14155550102', '+14155550102'],
      ],
    )
    const person = { recipient_id: '14155550100' }
    assert.deepEqual(
      participantsOf(
        { ...person, recipient_type: 'individual', recipient_participant_id: '14155550100' },
        { ...person, recipient_participant_id: null },
      ),
      [
        ['', '+14155550100'],
        ['', '+14155550100'],
      ],
    )
  })

  it('names no participant after another one', () => {
    const contacts = [{ wa_id: '14155550102', profile: { name: 'Ann' } }]
    for (const group of [{}, { recipient_type: 'group' }]) {
      const statuses = ['14155550102', '14155550103'].map((participant) =>
        aStatus('A', 'read', {
          ...group,
          recipient_id: 'G',
          recipient_participant_id: participant,
        }),
      )
      const events = parse(batch(change({ statuses, contacts })))
      assert.deepEqual(
        events.map(({ contact }) => contact?.name ?? null),
        ['Ann', null],
      )
    }
  })

  it('and copies for an application out of control change nothing of it', () => {
    const standby = { messages: [aText()], statuses: [aStatus('A', 'read')] }
    const events = parse(batch(change({ standby }, 'standby')))
    assert.deepEqual(
      events.map((event) => (event.kind === 'message' ? event.namespace : event.kind)),
      ['standby', 'handover'],
    )
  })
})

describe('everything else', () => {
  it('takes the profile of whom it is about', () => {
    const contacts = [{ wa_id: '14155550100', user_id: 'US.1', profile: { name: 'Ann' } }]
    const calls = [{ id: 'c', event: 'connect', from: '14155550100' }]
    const event = only(batch(change({ calls, contacts }, 'calls')))
    assert.partialDeepStrictEqual(event.contact, {
      phone: '+14155550100',
      userId: 'US.1',
      name: 'Ann',
    })
  })

  it('shows the person and the number it names', () => {
    const shown = (field: string, value: Fields) => {
      const { contact, phoneNumberId } = only(batch({ field, value }))
      return [contact?.phone ?? null, contact?.userId ?? null, contact?.username, phoneNumberId]
    }
    const handover = {
      sender: { phone_number: '14155550100', user_id: 'US.1' },
      recipient: { phone_number_id: '106', display_phone_number: '14155550101' },
    }
    assert.deepEqual(
      shown('messaging_handovers', { ...handover, type: 'control_passed', timestamp: '7' }),
      ['+14155550100', 'US.1', null, '106'],
    )
    assert.deepEqual(shown('messaging_handovers', { type: 'control_passed' }), [
      ...[null, null, undefined, null],
    ])
    assert.deepEqual(
      shown('account_settings_update', {
        ...{ type: 'PHONE_NUMBER_SETTINGS', timestamp: '7' },
        phone_number_settings: { phone_number_id: '106' },
      }),
      [null, null, undefined, '106'],
    )
    const metadata = BUSINESS
    const join = { type: 'group_join_request_created', join_request_id: 'j', username: '@ann' }
    assert.deepEqual(
      shown('group_participants_update', {
        ...{ metadata, groups: [{ ...join, wa_id: '14155550100', user_id: 'US.1' }] },
      }),
      ['+14155550100', 'US.1', 'ann', BUSINESS.phone_number_id],
    )
    assert.deepEqual(
      shown('group_participants_update', { metadata, groups: [{ type: 'x', group_id: 'G' }] }),
      [null, null, undefined, BUSINESS.phone_number_id],
    )
    const ringing = { id: 'c', status: 'RINGING', recipient_user_id: 'US.1' }
    for (const [recipient, phone] of [
      [{}, null],
      [{ recipient_id: '14155550100' }, '+14155550100'],
    ] as const) {
      const statuses = [{ ...ringing, ...recipient }]
      assert.deepEqual(shown('calls', { metadata, statuses }), [
        ...[phone, 'US.1', null, BUSINESS.phone_number_id],
      ])
    }
  })

  it('has the identity of its kind', () => {
    const keyOf = (field: string, value: Fields) => {
      const event = only(batch(change(value, field)))
      return 'key' in event && 'type' in event ? [event.kind, event.type, event.key] : []
    }
    assert.deepEqual(keyOf('calls', { calls: [{ id: 'c', event: 'connect', from: '1415' }] }), [
      'call',
      'calls:connect',
      '["calls","c","connect"]',
    ])
    const preference = { wa_id: '1415', category: 'm', value: 'stop', timestamp: 7 }
    assert.deepEqual(keyOf('user_preferences', { user_preferences: [preference] }), [
      'preference',
      'user_preferences:stop',
      '["user_preferences","+1415","m","7","stop"]',
    ])
    const group = { request_id: 'r', type: 'group_create', timestamp: '8' }
    assert.deepEqual(keyOf('group_lifecycle_update', { groups: [group] }), [
      'group',
      'group_lifecycle_update:group_create',
      '["group_lifecycle_update","r","group_create","8"]',
    ])
  })

  it('in one second and of one person or group is as many events as there are', () => {
    const keysOf = (field: string, list: string, ...items: readonly Fields[]) => {
      const events = parse(batch(change({ [list]: items }, field)))
      return new Set(events.map((event) => ('key' in event ? event.key : null))).size
    }
    const group = { group_id: 'G', timestamp: '1751210150' }
    const joins = { ...group, type: 'group_join_request_created' }
    const join_request_id = 'j1'
    const asked = { ...joins, join_request_id, wa_id: '14155550111' }
    const added = { ...group, type: 'group_participants_add', reason: 'invite_link' }
    const items = [
      asked,
      { ...joins, join_request_id: 'j2', wa_id: '14155550112' },
      { ...added, added_participants: [{ wa_id: '14155550111' }] },
      { ...added, added_participants: [{ wa_id: '14155550112' }] },
    ]
    assert.equal(keysOf('group_participants_update', 'groups', ...items, ...items), 4)
    const again = { ...asked, username: '@later' }
    assert.equal(keysOf('group_participants_update', 'groups', asked, again), 1)
    const preference = { wa_id: '14155550100', category: 'marketing_messages', timestamp: 7 }
    const [stop, resume] = ['stop', 'resume'].map((value) => ({ ...preference, value }))
    assert.ok(stop && resume)
    assert.equal(keysOf('user_preferences', 'user_preferences', stop, resume, stop), 2)
  })

  it('without an identity is known by all there is of it', () => {
    const account = () => only(batch(change({ event: 'DISABLED_UPDATE' }, 'account_update')))
    assert.deepEqual(account(), account())
  })

  it('that is an error is known by the time of its entry and its place, without one by nothing', () => {
    const keysAt = (time?: unknown) => {
      const errors = change({ errors: [{ code: 1 }, { code: 1 }] })
      const entry = { id: '7', time, changes: [errors] }
      const events = parse({ object: 'whatsapp_business_account', entry: [entry] })
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['error', 'error'],
      )
      return events.map((event) => ('key' in event ? event.key : undefined))
    }
    assert.deepEqual(keysAt(), [null, null])
    assert.deepEqual(keysAt(1736935200), keysAt(1736935200))
    const all = new Set([...keysAt(1736935200), ...keysAt(1736935201)])
    assert.equal(all.size, 4)
    assert.ok(!all.has(null))
  })

  it('that says that an id has changed says who that person was before', () => {
    const update = {
      wa_id: '14155550100',
      user_id: { previous: 'US.1', current: 'US.2' },
      timestamp: 5,
    }
    const event = only(batch(change({ user_id_update: [update] }, 'user_id_update')))
    assert.equal(event.kind, 'identity')
    assert.partialDeepStrictEqual(event.contact, { userId: 'US.2', phone: '+14155550100' })
    assert.equal(event.formerly?.userId, 'US.1')
  })
})

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
        const together = parse(batch(...changes))
        const apart = changes.flatMap((each) => parse(batch(each)))
        assert.deepEqual(identities(together), identities(apart))
      }),
    )
  })
})
