// Messages of every type, as Meta describes them, and what each should say.
import { madeUpText } from '../made-up.ts'
import { pick, type Random } from '../random.ts'

/** The part of an item that its type decides, and the text that should be read from it. */
export type Made = { readonly type: string; readonly part: object; readonly text: string | null }

type Make = (random: Random, id: string) => Made

const media = (type: string, more: object, text: string | null, id: string): Made => ({
  type,
  text,
  part: {
    [type]: { id: `media-${id}`, mime_type: 'application/octet-stream', sha256: 'x=', ...more },
  },
})

const MAKERS: readonly (readonly [weight: number, make: Make])[] = [
  [50, (random) => textMade(madeUpText(random))],
  [
    8,
    (random, id) => {
      const caption = madeUpText(random)
      return media('image', { caption, url: 'https://example.com/file' }, caption, id)
    },
  ],
  [3, (_, id) => media('video', {}, null, id)],
  [4, (_, id) => media('audio', { voice: true }, null, id)],
  [3, (_, id) => media('document', { filename: `${id}.pdf` }, `${id}.pdf`, id)],
  [3, (_, id) => media('sticker', { animated: false }, null, id)],
  [
    3,
    (random) => ({
      type: 'location',
      part: { location: { latitude: random() * 90, longitude: random() * 180, name: 'Café' } },
      text: 'Café',
    }),
  ],
  [
    2,
    () => ({
      type: 'contacts',
      part: { contacts: [{ name: { formatted_name: 'Zoë Weiß' }, phones: [] }] },
      text: 'Zoë Weiß',
    }),
  ],
  [3, (_, id) => interactive('button_reply', { id, title: 'Yes ✅' }, 'Yes ✅')],
  [
    2,
    (_, id) =>
      interactive(
        'list_reply',
        { id, title: 'Express', description: 'One day' },
        'Express\nOne day',
      ),
  ],
  [
    2,
    (_, id) =>
      interactive(
        'nfm_reply',
        { name: 'flow', body: 'Sent', response_json: `{"id":"${id}"}` },
        'Sent',
      ),
  ],
  [
    2,
    (_, id) => ({ type: 'button', part: { button: { payload: id, text: 'Stop' } }, text: 'Stop' }),
  ],
  [
    2,
    (random) => ({
      type: 'order',
      part: {
        order: {
          catalog_id: '1',
          text: 'Please soon',
          product_items: [{ product_retailer_id: '7', quantity: 1 + Math.floor(random() * 9) }],
        },
      },
      text: 'Please soon',
    }),
  ],
  [
    1,
    () => ({
      type: 'system',
      part: { system: { body: 'Identity changed', type: 'customer_identity_changed' } },
      text: 'Identity changed',
    }),
  ],
  [
    2,
    () => ({
      type: 'unsupported',
      part: { unsupported: { type: 'poll_creation' }, errors: [{ code: 131051 }] },
      text: null,
    }),
  ],
  [1, () => ({ type: 'request_welcome', part: {}, text: null })],
]

const WHEEL: readonly Make[] = MAKERS.flatMap(([weight, make]) => Array<Make>(weight).fill(make))

/** A text message. */
export function textMade(body: string): Made {
  return { type: 'text', part: { text: { body } }, text: body }
}

/** A message of any type, the frequent ones more often. */
export function anyMade(random: Random, id: string): Made {
  return pick(WHEEL, random)(random, id)
}

function interactive(type: string, reply: object, text: string): Made {
  return { type: 'interactive', part: { interactive: { type, [type]: reply } }, text }
}
