// A reader of the live stream as a browser's EventSource is one: it takes whole events only, comes
// again whenever its connection ends, and says then which event it has read last.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry } from './sequence-checker.ts'

export type EventClientOptions = {
  /** Services of one database; the next one is asked after each lost connection. */
  readonly urls: readonly string[]
  /** Between a lost connection and the next one, in ms. */
  readonly pauseMs?: () => number
  /** What it says it has read last; null: nothing. Default: what it has. */
  readonly says?: (position: number) => number | null
}

/** Follows the sequence from its beginning, over as many connections as it takes. */
export class EventClient {
  /** What it was given, in the order in which it came. */
  readonly seen: Entry[] = []
  /** Answers other than a stream, by their status. */
  readonly refused = new Map<number, number>()
  /** Streams that were opened. */
  streams = 0
  readonly #options: EventClientOptions
  #connection = new AbortController()
  #position = 0
  #closed = false
  #running: Promise<void> | null = null

  constructor(options: EventClientOptions) {
    this.#options = options
  }

  /** How far it has been told that the sequence was seen. */
  get position(): number {
    return this.#position
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Ends its connection at its own end, in the middle of whatever is said. */
  cut(): void {
    this.#connection.abort()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.cut()
    await this.#running
  }

  async #run(): Promise<void> {
    const { urls, pauseMs = () => 0 } = this.#options
    for (let attempt = 0; !this.#closed; attempt++) {
      this.#connection = new AbortController()
      const url = urls[attempt % urls.length] ?? ''
      await this.#follow(url).catch(() => {})
      await sleep(pauseMs())
    }
  }

  async #follow(url: string): Promise<void> {
    const { says = (position: number) => position } = this.#options
    const last = this.streams === 0 ? 0 : says(this.#position)
    const { status, body } = await fetch(`${url}/events/stream`, {
      headers: last === null ? {} : { 'last-event-id': String(last) },
      signal: this.#connection.signal,
    })
    if (status !== 200 || body === null) {
      this.refused.set(status, (this.refused.get(status) ?? 0) + 1)
      await body?.cancel()
      return
    }
    this.streams++
    let text = ''
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const frames = (text + chunk).split('\n\n')
      text = frames.pop() ?? ''
      for (const frame of frames) this.#take(frame)
    }
  }

  #take(frame: string): void {
    const data = /^data: (.*)$/m.exec(frame)?.[1]
    if (data !== undefined) {
      const { seq, key } = JSON.parse(data) as Entry
      this.seen.push({ seq, key })
    }
    this.#position = Number(/^id: (\d+)$/m.exec(frame)?.[1] ?? this.#position)
  }
}
