// What happens to a few people, as a seed makes it up, in the order of its time: no two things at one
// moment, and no number or id that is anybody else's before or after.
import { pick, type Random } from '../../src/app/cli/random.ts'
import { change } from './cloud-api.ts'

type Fields = Readonly<Record<string, unknown>>
type Person = { phone: string; userId: string; readonly name: string }

const FIRST_SECOND = 1_736_935_200
const BUSINESS_PHONE = '14155550101'
const STATUSES = ['sent', 'delivered', 'read', 'failed', 'deleted', 'weird', 'odd']

/** The changes of webhooks, one each, from the first to the last. */
export function randomHistory(random: Random, length: number): readonly Fields[] {
  const made = new History(random)
  while (made.changes.length < length) made.next()
  return made.changes
}

class History {
  readonly changes: Fields[] = []
  readonly #random: Random
  readonly #people: readonly Person[] = ['Ada', 'Bob', 'Zoe'].map((name, i) => ({
    ...{ phone: `1415555020${i}`, userId: `US.${i}`, name },
  }))
  /** Messages that more may happen to, and whom each is from or to. */
  readonly #messages: { readonly id: string; readonly person: Person }[] = []
  #count = 0
  #second = FIRST_SECOND

  constructor(random: Random) {
    this.#random = random
  }

  next(): void {
    const person = pick(this.#people, this.#random)
    const draw = this.#random()
    if (draw < 0.3 || this.#messages.length === 0) this.#message(person)
    else if (draw < 0.4) this.#media(person)
    else if (draw < 0.55) this.#status()
    else if (draw < 0.65) this.#edit()
    else if (draw < 0.7) this.#reaction(person)
    else if (draw < 0.76) this.#echo(person)
    else if (draw < 0.8) this.#addressBook(person)
    else if (draw < 0.9) this.#newId(person)
    else this.#newNumber(person)
  }

  #is(share: number): boolean {
    return this.#random() < share
  }

  #at(): Fields {
    this.#second += 1 + Math.floor(this.#random() * 5)
    return { timestamp: String(this.#second) }
  }

  #id(): string {
    return `m${++this.#count}`
  }

  /** A number, an id, or both. */
  #addresses({ phone, userId }: Person, name: string): Fields {
    const draw = this.#random()
    return {
      ...(draw < 0.7 ? { [name]: phone } : {}),
      ...(draw > 0.4 ? { [`${name}_user_id`]: userId } : {}),
    }
  }

  #item(person: Person): Fields {
    return { id: this.#id(), ...this.#at(), ...this.#addresses(person, 'from') }
  }

  #message(person: Person): void {
    const item = this.#item(person)
    const contact = { wa_id: item['from'], user_id: item['from_user_id'] }
    const profile = {
      ...(this.#is(0.6) ? { name: `${person.name} ${this.#count % 3}` } : {}),
      ...(this.#is(0.4) ? { username: `${person.name}.${this.#count % 2}` } : {}),
    }
    const contacts = this.#is(0.7) ? { contacts: [{ ...contact, profile }] } : {}
    this.#messages.push({ id: String(item['id']), person })
    const text = { body: `T${this.#count}` }
    this.changes.push(change({ messages: [{ ...item, type: 'text', text }], ...contacts }))
  }

  /** In two parts: whose it is, and what it is. */
  #media(person: Person): void {
    const from = this.#is(0.5) ? BUSINESS_PHONE : person.phone
    const item = { id: this.#id(), from, ...this.#at() }
    const image = { id: '7', caption: `View ${this.#count}` }
    const placeholder = { ...item, type: 'media_placeholder' }
    const threads = [{ id: person.phone, messages: [placeholder] }]
    this.#messages.push({ id: item.id, person })
    this.changes.push(
      change({ history: [{ threads }] }, 'history'),
      change({ messages: [{ ...item, type: 'image', image }] }, 'history'),
    )
  }

  /** Once, or again with another time and more in it. */
  #status(): void {
    const { id, person } = pick(this.#messages, this.#random)
    const status = pick(STATUSES, this.#random)
    for (const more of this.#is(0.5) ? [{}] : [{}, { pricing: { billable: true } }]) {
      const { recipient: recipient_id, recipient_user_id } = this.#addresses(person, 'recipient')
      const item = { id, status, ...this.#at(), recipient_id, recipient_user_id, ...more }
      this.changes.push(change({ statuses: [item] }))
    }
  }

  #edit(): void {
    const { id: original_message_id, person } = pick(this.#messages, this.#random)
    const item = this.#item(person)
    const message = { type: 'text', text: { body: `E${this.#count}` } }
    const what = this.#is(0.6)
      ? { type: 'edit', edit: { original_message_id, message } }
      : { type: 'revoke', revoke: { original_message_id } }
    this.changes.push(change({ messages: [{ ...item, ...what }] }))
  }

  #reaction(person: Person): void {
    const reaction = { message_id: pick(this.#messages, this.#random).id, emoji: '👍' }
    const item = { ...this.#item(person), type: 'reaction', reaction }
    this.changes.push(change({ messages: [item] }))
  }

  #echo(person: Person): void {
    const to = this.#addresses(person, 'to')
    const item = { id: this.#id(), from: BUSINESS_PHONE, ...this.#at(), ...to }
    const text = { body: `O${this.#count}` }
    const message_echoes = [{ ...item, type: 'text', text }]
    this.changes.push(change({ message_echoes }, 'smb_message_echoes'))
  }

  #addressBook({ phone, name }: Person): void {
    const contact = { full_name: `${name} Book`, phone_number: phone }
    const entry = { contact, action: 'add', metadata: this.#at() }
    this.changes.push(change({ state_sync: [entry] }, 'smb_app_state_sync'))
  }

  #newId(person: Person): void {
    const user_id = { previous: person.userId, current: `${person.userId}9` }
    const update = { user_id, ...this.#at(), ...(this.#is(0.6) ? { wa_id: person.phone } : {}) }
    person.userId = user_id.current
    this.changes.push(change({ user_id_update: [update] }, 'user_id_update'))
  }

  /** The id stays where the payload names it; without that, it may be another one from now on. */
  #newNumber(person: Person): void {
    const isNamed = this.#is(0.5)
    const from = { from: person.phone, ...(isNamed ? { from_user_id: person.userId } : {}) }
    person.phone = `${person.phone}7`
    if (!isNamed && this.#is(0.5)) person.userId = `${person.userId}b`
    const system = { type: 'user_changed_number', wa_id: person.phone, body: 'moved' }
    const item = { id: this.#id(), ...this.#at(), ...from, type: 'system', system }
    this.changes.push(change({ messages: [item] }))
  }
}
