// Those who follow the sequence inside a process: page by page, and through the hub of the streams.
import { setTimeout as sleep } from 'node:timers/promises'
import type { SequenceEntry } from '../../src/app/model/event.ts'
import type { SequenceReader } from '../../src/app/store/store.ts'
import type { StreamHub } from '../../src/app/stream/hub.ts'
import type { Entry } from './sequence-checker.ts'

/** Between two looks for something new, in ms. */
const PAUSE_MS = 3
/** Few, so that a batch is read in several parts. */
const PAGE = 3

/** Reads a few entries at a time, as a forwarder that remembers its place. */
export class PageFollower {
  readonly seen: Entry[] = []
  readonly #store: Pick<SequenceReader, 'eventsAfter'>
  #position = 0
  #closed = false
  #running: Promise<void> | null = null

  constructor(store: Pick<SequenceReader, 'eventsAfter'>) {
    this.#store = store
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Rejects with what kept it from reading on. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const request = { filter: {}, after: this.#position, limit: PAGE }
      const { entries, next } = await this.#store.eventsAfter(request)
      this.seen.push(...entries.map(asEntry))
      this.#position = next
      if (entries.length === 0) await sleep(PAUSE_MS)
    }
  }
}

/** What somebody who follows a hub from the beginning of the sequence is handed. */
export function followHub(hub: StreamHub): readonly Entry[] {
  const seen: Entry[] = []
  const take = (entries: readonly SequenceEntry[]) => {
    seen.push(...entries.map(asEntry))
    return true
  }
  const lose = () => {
    throw new Error('The sequence ended before what was read of it.')
  }
  if (hub.join({ filter: {}, take, lose }, 0) === null) throw new Error('The hub is further.')
  return seen
}

function asEntry(entry: SequenceEntry): Entry {
  return entry.kind === 'message'
    ? { seq: entry.message.seq, key: entry.message.messageId }
    : { seq: entry.event.seq, key: entry.event.key }
}
