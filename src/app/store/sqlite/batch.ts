// A batch on its way to the writer thread. Bodies travel in one buffer that is handed over, not
// copied: a Buffer of Node may be a slice of a larger pool, which a copy would take along whole.
import type { IncomingMessage } from '../../model/message.ts'

type Fields = readonly (string | null)[]

/** Messages as columns of plain values, and their bodies end to end. */
export type PackedBatch = {
  /** Six values a message: id, from, to, ts, instant, text. */
  readonly fields: Fields
  /** The length of each body in bytes. */
  readonly lengths: readonly number[]
  readonly bodies: ArrayBuffer
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

const FIELDS = 6

export function packBatch(messages: readonly IncomingMessage[]): PackedBatch {
  const lengths = messages.map(({ body }) => body.byteLength)
  const bodies = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  const fields: (string | null)[] = []
  let offset = 0
  for (const { messageId, from, to, ts, instant, text, body } of messages) {
    fields.push(messageId, from, to, ts, instant, text)
    bodies.set(body, offset)
    offset += body.byteLength
  }
  return { fields, lengths, bodies: bodies.buffer }
}

export function unpackBatch({ fields, lengths, bodies }: PackedBatch): PackedMessage[] {
  let offset = 0
  return lengths.map((length, i) => {
    const body = new Uint8Array(bodies, offset, length)
    offset += length
    const [messageId, from, to, ts, instant, text] = fields.slice(i * FIELDS, (i + 1) * FIELDS)
    return { messageId, from, to, ts, instant, text, body } as PackedMessage
  })
}
