// Hands what was committed to everybody who follows the sequence. The store is the truth and a
// commit only wakes the hub: whoever is up to date shares one read of what is new, whoever is
// behind reads for itself until it has caught up. Nothing is buffered here.
import type { KnownAs } from '../model/contact.ts'
import type { EventFilter, SequenceEntry, SequencePage } from '../model/event.ts'
import { type Addresses, filterKeyOf, matches, personIn, seqOf } from './filter.ts'

/** Commits within this time are read together, in ms. */
const GATHER_MS = 25
/** Commits of other processes on the same database are noticed after so many ms at the latest. */
const POLL_MS = 1000
const PAGE = 100
const NO_ADDRESSES: Addresses = new Map()

type Request = { readonly filter: EventFilter; readonly after: number; readonly limit: number }

export type HubOptions = {
  readonly eventsAfter: (request: Request) => Promise<SequencePage>
  /** Every address that the people with these keys were seen under. */
  readonly addressesOf: (keys: readonly string[]) => Promise<readonly KnownAs[]>
  /** Told of an error of reading; the next try is a second later. */
  readonly onError: (error: unknown) => void
  /** Told of each part that was read. */
  readonly onRead: () => void
  /** Told why a follower that threw was lost. */
  readonly onLost: (error: unknown) => void
}

/** Somebody who follows. */
export type Follower = {
  readonly filter: EventFilter
  /**
   * Takes entries of its filter, and how far the sequence was seen; false: it takes no more. One
   * that throws is lost.
   */
  readonly take: (entries: readonly SequenceEntry[], next: number) => boolean
  /**
   * The hub goes on without it: it could not take what comes next, or the sequence ends before what
   * it has seen and is another one.
   */
  readonly lose: () => void
}

type Live = { readonly follower: Follower; position: number }

/** Everybody who is up to date. */
export class StreamHub {
  readonly #options: HubOptions
  readonly #live = new Map<string, Set<Live>>()
  readonly #waiting = new Set<() => void>()
  #head = 0
  #timer: NodeJS.Timeout | null = null
  #dueMs = 0
  /** From a commit to its reading; longer while reading fails. */
  #gatherMs = GATHER_MS
  #reading = false
  #woken = false
  #closed = false

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** Something was committed. */
  wake(): void {
    this.#woken = true
    if (this.#waiting.size > 0 || this.#live.size > 0) this.#schedule(this.#gatherMs)
  }

  /** Resolves at the next commit, after a polling interval or after `ms`, whichever is first. */
  changed(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const release = () => {
        clearTimeout(timer)
        this.#waiting.delete(release)
        resolve()
      }
      const timer = setTimeout(release, Math.min(ms, POLL_MS))
      this.#waiting.add(release)
      if (this.#woken) this.#schedule(this.#gatherMs)
    })
  }

  /**
   * Adds a follower that has seen everything up to `position`; what it is given begins there. Returns
   * the function by which it leaves; null where the hub is further, so that it has to read on by itself
   * first, and once the hub is closed.
   */
  join(follower: Follower, position: number): (() => void) | null {
    if (this.#closed) return null
    if (this.#live.size === 0) this.#head = position
    if (position < this.#head) return null
    const key = filterKeyOf(follower.filter)
    const group = this.#live.get(key) ?? new Set()
    const live = { follower, position }
    group.add(live)
    this.#live.set(key, group)
    this.#schedule(GATHER_MS)
    return () => this.#leave(key, live)
  }

  /** Lets everybody who waits go on, and takes nobody any more. Idempotent. */
  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#live.clear()
    this.#release()
  }

  #leave(key: string, live: Live): void {
    const group = this.#live.get(key)
    group?.delete(live)
    if (group?.size === 0) this.#live.delete(key)
  }

  #schedule(ms: number): void {
    if (this.#closed || this.#reading) return
    const dueMs = performance.now() + ms
    // Under a stream of commits a timer that began anew with each would never end.
    if (this.#timer !== null && this.#dueMs <= dueMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#tick()
    }, ms)
  }

  async #tick(): Promise<void> {
    this.#woken = false
    this.#release()
    if (this.#live.size === 0) {
      this.#gatherMs = GATHER_MS
      return
    }
    this.#reading = true
    let more = false
    try {
      more = await this.#readOn()
      this.#gatherMs = GATHER_MS
      this.#options.onRead()
    } catch (error) {
      this.#gatherMs = POLL_MS
      this.#options.onError(error)
    }
    this.#reading = false
    this.#schedule(more || this.#woken ? this.#gatherMs : POLL_MS)
  }

  /** One part of the sequence for all; true where there may be more. */
  async #readOn(): Promise<boolean> {
    const after = this.#head
    const page = await this.#options.eventsAfter({ filter: {}, after, limit: PAGE })
    // Where nobody follows a person, nothing is waited for: nobody can begin to in between.
    const addresses = this.#followsPeople() ? await this.#addressesIn(page) : NO_ADDRESSES
    // The last follower left meanwhile, and another one began elsewhere: this part is not for it.
    if (this.#head !== after) return true
    this.#loseBehind(page.last)
    for (const [key, group] of this.#live) this.#hand(key, group, page, addresses)
    this.#head = page.next
    return page.more
  }

  #followsPeople(): boolean {
    const groups = [...this.#live.values()]
    return groups.some(([first]) => first?.follower.filter.contact !== undefined)
  }

  /** Under which addresses the people in a part were seen. */
  async #addressesIn({ entries }: SequencePage): Promise<Addresses> {
    const keys = new Set(entries.flatMap((entry) => personIn(entry)?.key ?? []))
    const found = keys.size === 0 ? [] : await this.#options.addressesOf([...keys])
    return Map.groupBy(found, ({ key }) => key)
  }

  #hand(key: string, group: Set<Live>, page: SequencePage, addresses: Addresses): void {
    const [first] = group
    if (first === undefined) return
    const { filter } = first.follower
    const { next } = page
    const matching = page.entries.filter((entry) => matches(filter, entry, addresses))
    for (const live of group) {
      // It is further than the hub, and has seen all of this.
      if (live.position >= next) continue
      const behind = matching.filter((entry) => seqOf(entry) > live.position)
      const entries = behind.length === matching.length ? matching : behind
      if (this.#isTaken(live.follower, entries, next)) live.position = next
      else this.#leave(key, live)
    }
  }

  /** Whoever can't be given something must not miss it: it comes again for it. */
  #isTaken(follower: Follower, entries: readonly SequenceEntry[], next: number): boolean {
    try {
      return follower.take(entries, next)
    } catch (error) {
      this.#options.onLost(error)
      follower.lose()
      return false
    }
  }

  /** Everybody who has seen more than there is. */
  #loseBehind(last: number): void {
    for (const [key, group] of this.#live) {
      for (const live of group) {
        if (live.position <= last) continue
        this.#leave(key, live)
        live.follower.lose()
      }
    }
  }

  #release(): void {
    for (const release of this.#waiting) release()
  }
}
