// One reader of the live stream: catches up with reads of its own, then follows the hub.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { EventFilter, SequenceEntry } from '../model/event.ts'
import type { SequenceReader } from '../store/store.ts'
import type { StreamHub } from '../stream/hub.ts'
import { presentEntry } from './present.ts'
import type { Unsent } from './unsent.ts'

/** How long a reader may take for what was sent to it before it is dropped, in ms. */
const DRAIN_MS = 10_000
/** Entries that are sent before the reader is waited for: what is kept in memory for one. */
const PAGE = 100

export type EventStreamOptions = {
  readonly store: Pick<SequenceReader, 'eventsAfter'>
  readonly hub: Pick<StreamHub, 'join' | 'changed'>
  readonly filter: EventFilter
  /** Everything up to here was read before. */
  readonly position: number
  readonly response: ServerResponse
  readonly unsent: Unsent
  readonly onError: (error: unknown) => void
}

/**
 * What a reader has not taken yet is waited for, and nothing more is read for it meanwhile; one that
 * takes nothing for too long is dropped. It knows where to go on.
 */
export class EventStream {
  readonly #options: EventStreamOptions
  #position: number
  #leave: (() => void) | null = null
  /** Gives back the room of what was sent and is not taken yet. */
  readonly #held = new Set<() => void>()
  #ended = false

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#position = options.position
  }

  /** Reads until it has caught up, then follows. Never rejects. */
  async run(): Promise<void> {
    try {
      while (!this.#ended) {
        await this.#drained()
        if (this.#ended || this.#join()) return
        await this.#readOn()
      }
    } catch (error) {
      this.#options.onError(error)
      this.end()
    }
  }

  /** Says that it lives, and how far the sequence was seen: also what a filter left out is read. */
  beat(): void {
    const { response } = this.#options
    if (!this.#ended && !response.writableNeedDrain) response.write(`id: ${this.#position}\n\n`)
  }

  /** Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#leave?.()
    this.#options.response.end()
    this.#releaseAll()
  }

  #join(): boolean {
    const { hub, filter } = this.#options
    const take = (entries: readonly SequenceEntry[], next: number) => this.#take(entries, next)
    // Its reader comes again with its position; where it is none any more, it is told so.
    const lose = () => this.#drop()
    this.#leave = hub.join({ filter, take, lose }, this.#position)
    return this.#leave !== null
  }

  /** What the hub hands it; false where it has not taken what it was handed before. */
  #take(entries: readonly SequenceEntry[], next: number): boolean {
    if (entries.length > 0 && this.#options.response.writableNeedDrain) {
      this.#leave = null
      void this.run()
      return false
    }
    this.#send(entries, next)
    return true
  }

  async #readOn(): Promise<void> {
    const { store, filter } = this.#options
    const page = await store.eventsAfter({ filter, after: this.#position, limit: PAGE })
    if (this.#ended) return
    if (this.#position > page.last) return this.#drop()
    this.#send(page.entries, page.next)
  }

  /** Throws where there is no text of the entries; the reader has not come past them then. */
  #send(entries: readonly SequenceEntry[], next: number): void {
    const frames = framesOf(entries)
    if (frames === '' || this.#write(frames)) this.#position = next
    else this.#drop()
  }

  /** False where too much waits in memory already for readers who don't take it. */
  #write(frames: string): boolean {
    const { response, unsent } = this.#options
    const release = unsent.hold(Buffer.byteLength(frames))
    if (release === null) return false
    this.#held.add(release)
    response.write(frames, () => {
      release()
      this.#held.delete(release)
    })
    return true
  }

  #releaseAll(): void {
    for (const release of this.#held) release()
  }

  async #drained(): Promise<void> {
    const { response } = this.#options
    if (!response.writableNeedDrain) return
    const timeout = AbortSignal.timeout(DRAIN_MS)
    await once(response, 'drain', { signal: timeout }).catch(() => this.#drop())
  }

  /** Without the end that a whole answer has, so that the reader knows it was cut. */
  #drop(): void {
    this.#ended = true
    this.#leave?.()
    this.#options.response.destroy()
    this.#releaseAll()
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
