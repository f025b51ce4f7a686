// One reader of the live stream: catches up with reads of its own, then follows the hub.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { EventFilter, SequenceEntry } from '../model/event.ts'
import type { SequenceReader } from '../store/store.ts'
import type { StreamHub } from '../stream/hub.ts'
import { presentEntry } from './present.ts'

/** What may wait for a reader before it is dropped, in bytes. */
const MAX_UNREAD_BYTES = 1024 * 1024
/** How long a reader that catches up may take for what was sent to it, in ms. */
const DRAIN_MS = 30_000
const PAGE = 200

export type EventStreamOptions = {
  readonly store: Pick<SequenceReader, 'eventsAfter'>
  readonly hub: Pick<StreamHub, 'join' | 'changed'>
  readonly filter: EventFilter
  /** Everything up to here was read before. */
  readonly position: number
  readonly response: ServerResponse
  readonly onError: (error: unknown) => void
}

/** A reader that can't keep up is dropped, never buffered: it knows where to go on. */
export class EventStream {
  readonly #options: EventStreamOptions
  #position: number
  #leave: (() => void) | null = null
  #ended = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#position = options.position
  }

  /** Reads until it has caught up, then follows. Never rejects. */
  async run(): Promise<void> {
    this.beat()
    try {
      while (!this.#ended && !this.#join()) await this.#readOn()
    } catch (error) {
      this.#options.onError(error)
      this.end()
    }
  }

  /** Says that it lives, and how far the sequence was seen: also what a filter left out is read. */
  beat(): void {
    if (!this.#ended) this.#write(`id: ${this.#position}\n\n`)
  }

  /** Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave?.()
    this.#options.response.end()
  }

  #join(): boolean {
    const { hub, filter } = this.#options
    const take = (entries: readonly SequenceEntry[], next: number) => {
      this.#position = next
      if (entries.length > 0) this.#write(framesOf(entries))
      return !this.#ended
    }
    this.#leave = hub.join({ filter, take }, this.#position)
    return this.#leave !== null
  }

  async #readOn(): Promise<void> {
    const { store, filter, response } = this.#options
    const page = await store.eventsAfter({ filter, after: this.#position, limit: PAGE })
    this.#position = page.next
    if (page.entries.length > 0 && !this.#ended) this.#write(framesOf(page.entries))
    if (response.writableNeedDrain && !this.#ended) {
      await once(response, 'drain', { signal: AbortSignal.timeout(DRAIN_MS) }).catch(() =>
        this.#drop(),
      )
    }
  }

  #write(text: string): void {
    const { response } = this.#options
    response.write(text)
    if (response.writableLength > MAX_UNREAD_BYTES) this.#drop()
  }

  /** Without the end that a whole answer has, so that the reader knows it was cut. */
  #drop(): void {
    this.#ended = true
    this.#leave?.()
    this.#options.response.destroy()
  }
}

// Readers of one filter are handed the same entries: their text is made once.
const rendered = new WeakMap<readonly SequenceEntry[], string>()

function framesOf(entries: readonly SequenceEntry[]): string {
  const known = rendered.get(entries)
  if (known !== undefined) return known
  const text = entries.map(frameOf).join('')
  rendered.set(entries, text)
  return text
}

function frameOf(entry: SequenceEntry): string {
  const shown = presentEntry(entry)
  return `id: ${shown.seq}\nevent: ${shown.kind}\ndata: ${JSON.stringify(shown)}\n\n`
}
