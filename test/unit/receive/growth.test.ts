// That a body takes time as it is long, whatever is in it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fold } from '../../../src/app/model/fold.ts'
import { parseCloudApi } from '../../../src/app/receive/cloud-api.ts'
import { parseFlatMessage } from '../../../src/app/receive/flat.ts'
import { aText, batch, change } from '../../support/cloud-api.ts'
import { growthOf } from '../../support/growth.ts'

type Make = (length: number) => unknown

const many = <Item>(count: number, item: (n: number) => Item): Item[] =>
  Array.from({ length: count }, (_, n) => item(n))
const messages = (length: number) => many(length / 100, () => aText())
const long = (length: number) => '1'.repeat(length)
const saying = (unit: string): Make => {
  return (length) => batch(change({ messages: [aText({ text: { body: unit.repeat(length) } })] }))
}

const BODIES: Readonly<Record<string, Make>> = {
  'marks of two classes': saying('\u0301\u0323'),
  'marks that are two': saying('\u0344\u0323'),
  'letters that join with each other': saying('\u{1611e}'),
  'vowels of Hangul': saying('\u1161'),
  'sigmas and marks': saying('Σ\u0301'),
  'signs that stand for nothing': saying('\u200d\ufe0f'),
  'characters that are shown as others': saying('\u0000'),
  'many contacts': (length) =>
    batch(
      change({
        contacts: many(length / 10, (n) => ({ wa_id: `1${n}`, profile: { name: 'N' } })),
        messages: many(length / 10, (n) => aText({ from: `1${n}` })),
      }),
    ),
  'messages of a business with a long number': (length) =>
    batch(
      change({ messages: messages(length), metadata: { display_phone_number: long(length * 10) } }),
    ),
  'messages of somebody with a long username': (length) =>
    batch(
      change({
        contacts: [{ wa_id: '14155550100', profile: { username: long(length * 10) } }],
        messages: messages(length),
      }),
    ),
  'errors of an entry with a long id': (length) => ({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: long(length * 10),
        time: 1736935200,
        changes: [change({ errors: many(length / 4, (code) => ({ code })) })],
      },
    ],
  }),
}

describe('the time that a body takes grows as it does, where it holds', () => {
  for (const [what, make] of Object.entries(BODIES)) {
    it(what, () => {
      const growth = growthOf(4_000, (length) => Buffer.from(JSON.stringify(make(length))), read)
      assert.ok(growth < 40, `eight times the length takes ${growth} times as long`)
    })
  }

  it('a flat message that is refused for each of its fields', () => {
    const make = (length: number) => {
      const [text, digits] = ['\u0301\u0323'.repeat(length), long(length)]
      const ts = `2025-01-15T10:00:00.${digits}`
      return Buffer.from(
        JSON.stringify({ message_id: digits, from: digits, to: `+${digits}`, ts, text }),
      )
    }
    const growth = growthOf(4_000, make, (body) => assert.throws(() => parseFlatMessage(body)))
    assert.ok(growth < 40, `eight times the length takes ${growth} times as long`)
  })
})

function read(body: Buffer): void {
  for (const event of parseCloudApi(body, 1_736_935_200_000)) {
    if (event.kind === 'message' && event.text !== null) fold(event.text)
  }
}
