// A made-up day of a business on WhatsApp, event after event. The same seed gives the same day.
import { madeUpText } from '../made-up.ts'
import { pick, type Random } from '../random.ts'
import type { Expectation } from './expectation.ts'
import { anyMade, type Made, textMade } from './message-types.ts'
import {
  BUSINESS,
  contactEntry,
  expectedAddressOf,
  expectedKeyOf,
  type Person,
  senderFields,
} from './people.ts'

/** One item of a webhook, and where in a value it belongs. */
export type Item = {
  readonly field: string
  readonly list: string
  readonly item: unknown
  readonly contact?: object
  /** Errors have no identity: each time one is sent, there is one more. */
  readonly once?: boolean
}

export type Day = {
  readonly run: string
  readonly random: Random
  readonly people: readonly Person[]
  /** When it begins, ms since 1970; an event follows about each second. */
  readonly startMs: number
  /** The share of items that are of odd shape or of an unknown field, 0 to 1. */
  readonly odd: number
  readonly expectation: Expectation
}

type Sent = { readonly id: string; readonly person: Person }

const BUSINESS_NUMBER = `+${BUSINESS.display_phone_number}`

/** The events of a day, without end; those that belong together, such as the statuses of a message. */
export function* scenesOf(day: Day): Generator<readonly Item[]> {
  const scene = new Scene(day)
  for (;;) yield scene.next()
}

class Scene {
  readonly #day: Day
  #count = 0
  /** Texts that can still be edited, revoked and reacted to. */
  #recent: Sent[] = []

  constructor(day: Day) {
    this.#day = day
  }

  next(): Item[] {
    const { random, odd } = this.#day
    if (random() < odd) return [this.#oddItem()]
    const dice = random()
    if (dice < 0.45) return [this.#message()]
    if (dice < 0.75) return this.#outbound()
    if (dice < 0.82) return [this.#reaction()]
    if (dice < 0.87) return [this.#edit()]
    if (dice < 0.9) return [this.#revocation()]
    if (dice < 0.94) return [this.#echo()]
    return [this.#notice()]
  }

  #id(): string {
    return `sim.${this.#day.run}.${++this.#count}`
  }

  /** The time of the event that has the last id, in ms. */
  #now(afterS = 0): number {
    return this.#day.startMs + (this.#count + afterS) * 1000
  }

  #message(made?: Made): Item {
    const { random, people, expectation } = this.#day
    const id = `wamid.${this.#id()}`
    const person = pick(people, random)
    const content = made ?? anyMade(random, id)
    expectation.addMessage({ ...this.#shown(id, content, person), direction: 'inbound' })
    if (content.type === 'text') this.#recent = [...this.#recent.slice(-50), { id, person }]
    return this.#itemFrom(person, id, content)
  }

  #itemFrom(person: Person, id: string, { type, part }: Pick<Made, 'type' | 'part'>): Item {
    const item = { ...senderFields(person), id, timestamp: this.#seconds(), type, ...part }
    return { field: 'messages', list: 'messages', item, contact: contactEntry(person) }
  }

  #shown(id: string, { type, text }: Made, person: Person) {
    const ts = new Date(this.#now()).toISOString().replace('.000Z', 'Z')
    const contact = expectedKeyOf(person)
    return { id, from: expectedAddressOf(person), to: BUSINESS_NUMBER, type, text, contact, ts }
  }

  /** A message that the business sent over the API: only its statuses come. */
  #outbound(): Item[] {
    const { random, people } = this.#day
    const id = `wamid.${this.#id()}`
    const person = pick(people, random)
    const way = pick(
      [
        ['sent'],
        ['sent', 'delivered'],
        ['sent', 'delivered', 'read'],
        ['sent', 'failed'],
        ['read'],
        ['sent', 'delivered', 'read', 'played'],
      ],
      random,
    )
    return way.map((status, i) => this.#status(id, person, status, i * 2))
  }

  #status(id: string, person: Person, status: string, afterS: number): Item {
    const atMs = this.#now(afterS)
    this.#day.expectation.addStatus(id, status, atMs)
    const item = {
      id,
      status,
      timestamp: String(Math.floor(atMs / 1000)),
      ...(person.phone === null ? {} : { recipient_id: person.phone }),
      ...(person.userId === null ? {} : { recipient_user_id: person.userId }),
      ...(status === 'failed' ? { errors: [{ code: 131026, title: 'Undeliverable' }] } : {}),
      ...(status === 'sent' ? { pricing: { pricing_model: 'PMP', category: 'service' } } : {}),
    }
    return { field: 'messages', list: 'statuses', item }
  }

  #reaction(): Item {
    const target = this.#recent.at(-1)
    if (target === undefined) return this.#message(textMade('Hello 👋'))
    const emoji = pick(['👍', '❤️', '😂', '🙏', ''], this.#day.random)
    const id = `wamid.${this.#id()}`
    const part = { reaction: { message_id: target.id, ...(emoji === '' ? {} : { emoji }) } }
    const made = { type: 'reaction', part, text: emoji === '' ? null : emoji }
    const { person } = target
    this.#day.expectation.addMessage({ ...this.#shown(id, made, person), direction: 'inbound' })
    return this.#itemFrom(person, id, made)
  }

  #edit(): Item {
    const target = this.#recent.at(-1)
    if (target === undefined) return this.#message(textMade('Hello 👋'))
    const id = `wamid.${this.#id()}`
    const text = madeUpText(this.#day.random)
    this.#day.expectation.addMarked('edit', id)
    this.#day.expectation.addEdit(target.id, { atMs: this.#now(), id, text })
    const message = { type: 'text', text: { body: text } }
    const part = { edit: { original_message_id: target.id, message } }
    return this.#itemFrom(target.person, id, { type: 'edit', part })
  }

  #revocation(): Item {
    const target = this.#recent.shift()
    if (target === undefined) return this.#message(textMade('Hello 👋'))
    const id = `wamid.${this.#id()}`
    this.#day.expectation.addMarked('revoke', id)
    this.#day.expectation.addRevocation(target.id)
    const part = { revoke: { original_message_id: target.id } }
    return this.#itemFrom(target.person, id, { type: 'revoke', part })
  }

  /** What was typed in the phone app. */
  #echo(): Item {
    const { random, people, expectation } = this.#day
    const id = `wamid.${this.#id()}`
    const person = pick(people, random)
    const made = textMade(madeUpText(random))
    const shown = this.#shown(id, made, person)
    expectation.addMessage({
      ...shown,
      from: BUSINESS_NUMBER,
      to: shown.from,
      direction: 'outbound',
    })
    const item = {
      from: BUSINESS.display_phone_number,
      ...(person.phone === null ? {} : { to: person.phone }),
      ...(person.userId === null ? {} : { to_user_id: person.userId }),
      ...{ id, timestamp: this.#seconds(), type: made.type, ...made.part },
    }
    return { field: 'smb_message_echoes', list: 'message_echoes', item }
  }

  /** Something that is no message and no status. */
  #notice(): Item {
    const { random, people } = this.#day
    const mark = this.#id()
    const timestamp = this.#seconds()
    const person = pick(people, random)
    const who = person.phone === null ? { user_id: person.userId } : { wa_id: person.phone }
    const notices: readonly (Item & { kind: string })[] = [
      this.#noticeOf('call', 'calls', 'calls', { id: mark, event: 'terminate', timestamp }),
      this.#noticeOf('group', 'group_lifecycle_update', 'groups', {
        ...{ request_id: mark, type: 'group_create', timestamp },
      }),
      this.#noticeOf('preference', 'user_preferences', 'user_preferences', {
        ...who,
        ...{ category: 'marketing_messages', value: 'stop', signup_id: mark, timestamp },
      }),
      this.#noticeOf('template', 'message_template_status_update', '', {
        ...{ event: 'APPROVED', message_template_name: mark },
      }),
      this.#noticeOf('account', 'account_update', '', { event: 'DISABLED_UPDATE', mark }),
      {
        ...this.#noticeOf('error', 'messages', 'errors', { code: 130429, title: mark }),
        once: true,
      },
    ]
    const { kind, ...item } = pick(notices, random)
    this.#day.expectation.addMarked(kind, mark)
    return item
  }

  #noticeOf(kind: string, field: string, list: string, item: object): Item & { kind: string } {
    return { kind, field, list, item }
  }

  /** What no documentation mentions. */
  #oddItem(): Item {
    const mark = this.#id()
    const { random, expectation } = this.#day
    const odd: readonly Item[] = [
      { field: `brand_new_field_${mark.length}`, list: '', item: { mark } },
      { field: 'messages', list: 'messages', item: { type: 'text', text: mark, timestamp: null } },
      { field: 'messages', list: 'statuses', item: { status: 7, nested: [[[mark]]] } },
      { field: 'messages', list: 'messages', item: [mark] },
    ]
    expectation.addMarked('unknown', mark)
    return pick(odd, random)
  }

  #seconds(): string {
    return String(Math.floor(this.#now() / 1000))
  }
}
