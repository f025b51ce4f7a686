// Messages, filters and searches that a store is likely to get wrong.
import fc from 'fast-check'
import { fold } from '../../src/app/model/fold.ts'
import { type Instant, parseTimestamp } from '../../src/app/model/instant.ts'
import type { MessageFilter } from '../../src/app/model/message.ts'
import { type AMessage, aMessage } from '../support/a-message.ts'
import { aText, partOf } from '../support/texts.ts'

export const PHONES = ['+14155550100', '+14155550101', '+447700900123', '+4479']

/** Few enough for many ties; the first two are one instant. */
export const TIMESTAMPS = [
  '2025-01-15T10:00:00Z',
  '2025-01-15T10:00:00.000Z',
  '2025-01-15T10:00:00.5Z',
  '2025-01-15T10:00:00.50000000001Z',
  '2025-01-15T10:00:01Z',
  '2024-02-29T23:59:59.999Z',
  '9999-12-31T23:59:59Z',
]

export const TEXTS = [
  null,
  '',
  'Hello World',
  'HELLO',
  'Café crème',
  'CAFE\u0301',
  '100% _sure_',
  `it's "quoted" * AND NOT`,
  'İstanbul',
  'i\u0307stanbul',
  'Straße STRAẞE strasse',
  'ΟΔΟΣ οδος',
  '👩🏽\u200d🚀 🎉🎉',
  '\u{10400}\u{10428}',
  'ab',
  'aXb',
  'abcd bcde cdef',
  'back\\slash; drop table messages --',
  'line\none\ttwo',
  'مرحبا بالعالم',
  '\ufffd\uffff',
  'a long text that says the same thing again and again and again and ends in a word',
]

/** Before folding. */
export const SEARCHES = [
  ...['h', 'HE', 'hello', 'é', 'É', 'E\u0301', 'e', 'cafe', 'café', 'CAFÉ C'],
  ...[
    '%',
    '_',
    '0% _',
    "'",
    "it's",
    '"',
    '"quoted"',
    '*',
    '* A',
    'AND',
    ' AND NOT',
    'OR',
    '\\',
    '--',
  ],
  ...['İ', 'i', 'İstan', 'I', 'ß', 'ẞ', 'ss', 'σ', 'Σ', 'ς', 'ΟΔΟΣ', '\u0307', '\u0301'],
  ...['🎉', '🎉🎉', '🎉🎉🎉', '👩', '🏽\u200d🚀', '\u{10428}', '\u{10400}\u{10400}'],
  ...[
    'a_b',
    'a%b',
    'ab',
    'abcde',
    'cd bc',
    ' ',
    '\n',
    'مرح',
    'ا',
    '\ufffd',
    '\uffff',
    'null',
    'none',
  ],
  'A LONG TEXT THAT SAYS THE SAME THING AGAIN AND AGAIN AND AGAIN AND ENDS IN A WORD',
  'a long text that says the same thing again and again and ends in a word',
]

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

let messages = 0

/** With an id of its own, but of a kind that tells byte order, UTF-16 order and case apart. */
const someMessage: fc.Arbitrary<AMessage> = fc
  .record({
    prefix: fc.oneof(
      fc.constantFrom('', 'a', 'Z', 'é', '\uffee', '\u{1f600}', '\ue000', '~', '\u{10ffff}', '%'),
      aText(2),
    ),
    from: fc.constantFrom(...PHONES),
    to: fc.constantFrom(...PHONES),
    ts: fc.constantFrom(...TIMESTAMPS),
    text: fc.oneof(fc.constantFrom(...TEXTS), aText(30)),
  })
  .map(({ prefix, ...fields }) => aMessage({ ...fields, messageId: `${prefix}${++messages}` }))

/** New messages at every call. */
export const someMessages = fc.array(someMessage, { minLength: 1, maxLength: 25 })

/** A search that is folded and not empty: a picked one, a part of a text, or any text. */
export const someSearch: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom(...SEARCHES),
    fc
      .tuple(fc.constantFrom(...TEXTS.map((text) => text ?? 'a')), unit, unit)
      .map(([text, from, to]) => partOf(text.normalize('NFC'), from, to)),
    aText(4),
  )
  .map(fold)
  .filter((search) => search !== '')

export const someFilter: fc.Arbitrary<MessageFilter> = fc.record(
  {
    from: fc.constantFrom(...PHONES, '+999'),
    to: fc.constantFrom(...PHONES),
    since: fc.constantFrom(...TIMESTAMPS).map(instantOf),
    until: fc.constantFrom(...TIMESTAMPS, '0001-01-01T00:00:00Z').map(instantOf),
    search: someSearch,
  },
  { requiredKeys: [] },
)

export function instantOf(ts: string): Instant {
  const instant = parseTimestamp(ts)
  if (instant === null) throw new Error(`${ts} is no instant.`)
  return instant
}

/** `count` messages that say what TEXTS say, over and over. */
export function repeatedTexts(count: number): AMessage[] {
  return Array.from({ length: count }, (_, i) =>
    aMessage({
      messageId: `t-${i}`,
      text: TEXTS[i % TEXTS.length] ?? null,
      from: PHONES[i % PHONES.length] ?? '',
      ts: TIMESTAMPS[i % TIMESTAMPS.length] ?? '',
    }),
  )
}
