// A batch on its way to the writer thread, in two pieces whatever its size: a value a field would
// cost more to send than to store. Bodies travel in a buffer that is handed over, not copied.
import type { IncomingMessage } from '../../model/message.ts'

/** The fields of all messages as one text, and their bodies end to end. */
export type PackedBatch = {
  /** Six fields a message, separated by U+0000, which none of them can contain. */
  readonly fields: string
  /** The length of each body in bytes. */
  readonly lengths: Uint32Array
  readonly bodies: Uint8Array
}

export type PackedMessage = {
  readonly messageId: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly instant: string
  readonly text: string | null
  readonly body: Uint8Array
}

const SEPARATOR = '\u0000'
const FIELDS = 6
/** Tells a text that is there, maybe empty, from none. */
const PRESENT = '='

/** What to hand to the thread; move `bodies.buffer` and `lengths.buffer`, they are not shared. */
export function packBatch(messages: readonly IncomingMessage[]): PackedBatch {
  const lengths = Uint32Array.from(messages, ({ body }) => body.byteLength)
  const bodies = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  const fields: string[] = []
  let offset = 0
  for (const { messageId, from, to, ts, instant, text, body } of messages) {
    fields.push(messageId, from, to, ts, instant, text === null ? '' : PRESENT + text)
    bodies.set(body, offset)
    offset += body.byteLength
  }
  return { fields: fields.join(SEPARATOR), lengths, bodies }
}

export function unpackBatch({ fields, lengths, bodies }: PackedBatch): PackedMessage[] {
  const values = fields.split(SEPARATOR)
  const messages: PackedMessage[] = []
  let offset = 0
  for (const [i, length] of lengths.entries()) {
    const at = i * FIELDS
    const text = field(values, at + 5)
    messages.push({
      messageId: field(values, at),
      from: field(values, at + 1),
      to: field(values, at + 2),
      ts: field(values, at + 3),
      instant: field(values, at + 4),
      text: text === '' ? null : text.slice(PRESENT.length),
      body: bodies.subarray(offset, offset + length),
    })
    offset += length
  }
  return messages
}

function field(values: readonly string[], at: number): string {
  const value = values[at]
  if (value === undefined) throw new Error('A batch has fewer fields than its messages need.')
  return value
}
