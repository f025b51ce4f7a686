// Which events a body of the Cloud API is split into.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCloudApi } from '../../../../src/app/receive/cloud-api.ts'
import { aStatus, aText, BUSINESS, batch, change, metaJson } from '../../../support/cloud-api.ts'
import { eventsIn, NOW, onlyEventIn } from '../../../support/read-batches.ts'

describe('a batch', () => {
  it('becomes an event for each item of each change of each entry', () => {
    const entry = (id: string, ...changes: unknown[]) => ({ id, changes })
    const events = eventsIn({
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
      assert.equal(onlyEventIn(body).kind, 'unknown')
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
      const event = onlyEventIn(odd)
      assert.equal(event.kind === 'message' && event.messageId, 'x')
    }
  })

  it('keeps an unknown field as it is, once', () => {
    const odd = change({ surprise: [1, 2] }, 'brand_new_field')
    const event = onlyEventIn(batch(odd))
    assert.equal(event.kind, 'unknown')
    assert.partialDeepStrictEqual(event, { type: 'brand_new_field', data: odd['value'] })
    const [again] = eventsIn(batch(odd))
    assert.deepEqual(again, event)
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
      const event = onlyEventIn(batch(odd))
      assert.equal(event.kind, kind, field)
      const data = kind === 'unknown' ? odd : odd['value']
      assert.partialDeepStrictEqual(event, { data }, field)
    }
  })
})
