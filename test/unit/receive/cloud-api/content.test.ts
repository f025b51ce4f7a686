// What a message says and holds.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aText, batch, change, type Fields } from '../../../support/cloud-api.ts'
import { eventsIn, messagesIn, messageWith, onlyEventIn } from '../../../support/read-batches.ts'

describe('a message', () => {
  it('with contacts says their names', () => {
    const contacts = [{ name: { formatted_name: 'Anna A' } }, { name: { first_name: 'Ben' } }]
    assert.equal(messageWith({ type: 'contacts', contacts }).text, 'Anna A, Ben')
  })

  it('with a contact that has a vCard only says the name in that', () => {
    const nameIn = (...lines: readonly string[]) => {
      const vcard = ['BEGIN:VCARD', 'VERSION:3.0', ...lines, 'END:VCARD'].join('\n')
      return messageWith({ type: 'contacts', contacts: [{ vcard, phones: [] }] }).text
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
    assert.equal(messageWith({ type: 'contacts', contacts }).text, 'Ann, Other')
  })

  it('with a file tells its kind and until when it can be fetched', () => {
    const voice = { id: '7', mime_type: 'audio/ogg', sha256: 'x=', url: 'https://example.com/7' }
    assert.deepEqual(messageWith({ type: 'voice', text: undefined, voice }).content, {
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
      messageWith({ type: 'reaction', reaction: { message_id: 'x', emoji } }).content?.reaction
    assert.deepEqual(reaction('🎉'), { message_id: 'x', emoji: '🎉' })
    for (const none of ['', null, undefined]) {
      assert.deepEqual(reaction(none), { message_id: 'x', emoji: null })
    }
  })

  it("parses a flow's answers, where they are JSON", () => {
    const responseIn = (json: string) => {
      const nfm = { type: 'nfm_reply', nfm_reply: { response_json: json } }
      const { interactive } = messageWith({ type: 'interactive', interactive: nfm }).content ?? {}
      return (interactive as { nfm_reply: { response?: unknown } }).nfm_reply.response
    }
    assert.deepEqual(responseIn('{"a":[1]}'), { a: [1] })
    assert.deepEqual(responseIn('{"a":9007199254740993}'), { a: '9007199254740993' })
    assert.equal(responseIn('no JSON'), undefined)
    assert.equal(responseIn('['.repeat(5000)), undefined)
  })

  it('tells what it replies to, and whether it was forwarded', () => {
    const context = { from: '14155550101', id: 'wamid.B', forwarded: true }
    assert.partialDeepStrictEqual(messageWith({ context }).content?.context, {
      message_id: 'wamid.B',
      forwarded: true,
      frequently_forwarded: false,
    })
    const referral = { source_type: 'ad', source_id: '1' }
    assert.deepEqual(messageWith({ referral }).content?.context?.referral, referral)
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
    assert.deepEqual(messageWith({ text, context, ...others }).content?.extra, {
      ...others,
      text: { preview: { title: 'x' } },
      context: { quoted_type: 'image' },
    })
    const image = { id: '7', caption: 'A view', width: 640 }
    assert.deepEqual(messageWith({ type: 'image', text: undefined, image }).content?.extra, {
      image: { width: 640 },
    })
    const reaction = { message_id: 'x', emoji: '🎉', skin: 1 }
    assert.deepEqual(messageWith({ type: 'reaction', text: undefined, reaction }).content?.extra, {
      reaction: { skin: 1 },
    })
    const order = { catalog_id: 'c', brand_new: 1 }
    const ordered = messageWith({ type: 'order', text: undefined, order, origin: 'other' })
    assert.deepEqual(ordered.content, { order, extra: { origin: 'other' } })
    const odd = { message: { hint: 1 }, context: 'of another shape' }
    assert.deepEqual(messageWith(odd).content?.extra, odd)
    const unsupported = { type: 'unsupported', text: undefined, unsupported: 'poll' }
    assert.deepEqual(messageWith(unsupported).content, { extra: { unsupported: 'poll' } })
  })

  it('keeps what its contact has beside the names and addresses of a person', () => {
    const extrasOf = (messages: readonly Fields[], ...contacts: readonly Fields[]) =>
      eventsIn(batch(change({ contacts, messages }))).map(
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
    const event = onlyEventIn(
      batch(change({ message_echoes: [echo], contacts: [ann] }, 'smb_message_echoes')),
    )
    assert.deepEqual(event.kind === 'message' && event.content, { extra })
  })

  it('has nothing left over where all there is has a place, or says nothing, or is kept whole', () => {
    const known = { from_user_id: 'US.1', from_parent_user_id: null, group_id: 'g', referral: {} }
    const context = { from: '14155550101', id: 'wamid.B', forwarded: true }
    assert.equal(
      messageWith({ ...known, context, none: null, empty: '' }).content?.extra,
      undefined,
    )
    assert.equal(messageWith({ type: 'hologram', hologram: { x: 1 } }).content?.extra, undefined)
    const copy = { timestamp: '1736935200', message: aText() }
    const [event] = eventsIn(batch(change({ standby: { messages: [copy] } }, 'standby')))
    assert.equal(event?.kind === 'message' && event.content, null)
  })
})
