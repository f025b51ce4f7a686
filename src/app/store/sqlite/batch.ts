// A batch on its way to the writer thread, in two pieces whatever its size: one text, since a value
// a field would cost more to send than to store, and the bodies end to end in a buffer that is
// handed over, not copied.
import type { Intake } from '../../model/event.ts'

export type PackedBatch = {
  /** The intakes without their bodies, as JSON. */
  readonly intakes: string
  /** The length of each body in bytes. */
  readonly lengths: Uint32Array
  readonly bodies: Uint8Array
}

/** What to hand to the thread; move `bodies.buffer` and `lengths.buffer`, they are not shared. */
export function packBatch(intakes: readonly Intake[]): PackedBatch {
  const lengths = Uint32Array.from(intakes, ({ body }) => body.byteLength)
  const bodies = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let offset = 0
  const withoutBodies = intakes.map(({ provider, body, headers, receivedAt, events }) => {
    bodies.set(body, offset)
    offset += body.byteLength
    return { provider, headers, receivedAt, events }
  })
  return { intakes: JSON.stringify(withoutBodies), lengths, bodies }
}

/** The intakes of a batch; their bodies are views into `bodies`. Throws where bodies are missing. */
export function unpackBatch({ intakes, lengths, bodies }: PackedBatch): Intake[] {
  let offset = 0
  return (JSON.parse(intakes) as Omit<Intake, 'body'>[]).map((intake, i) => {
    const length = lengths[i]
    if (length === undefined) throw new Error('A batch has fewer bodies than intakes.')
    const body = bodies.subarray(offset, offset + length)
    offset += length
    return { ...intake, body }
  })
}
