// Webhooks of both formats that a seed makes up: few messages, people and moments, so that they
// meet each other in every way, and texts that break naive handling.
import type { Intake } from '../../src/app/model/event.ts'
import { parseCloudApi } from '../../src/app/receive/cloud-api.ts'
import { parseFlatMessage } from '../../src/app/receive/flat.ts'
import { batch, change, metaJson } from './cloud-api.ts'
import { ARRIVAL } from './cloud-intake.ts'

type Fields = Readonly<Record<string, unknown>>
type Random = () => number

export const MESSAGE_IDS = ['m1', 'm2', 'M1', 'é', 'e\u0301', '\u{1f600}', '\uffee', 'x\u0000y']
export const PHONES = ['14155550100', '14155550101', '14155550102', '447700900123']
export const USER_IDS = ['US.1', 'US.2', 'US.3', 'DE.4']
export const USERNAMES = ['ada', 'bob']
const SECONDS = [1736935200, 1736935201, 1736935202, 1736935260, 1737021600]
const FLAT_TIMES = ['2025-01-15T10:00:00Z', '2025-01-15T10:00:00.000Z', '2025-01-15T10:00:01.5Z']
const TEXTS = ['Hello', '', 'CAFE\u0301 au lait', 'a\u0000b', '👩🏽\u200d🚀', 'x'.repeat(3000)]
const STATUSES = ['sent', 'delivered', 'read', 'played', 'failed', 'deleted', '\uffee', '\u{1f600}']
/** Longer than anything that is looked up by. */
const LONG = 'ä'.repeat(600)

/**
 * `settled`: each person has one number and one id, which are not always both there; a request has
 * many items. `contested`: numbers and ids move between people; a request has one item, as within a
 * batch PostgreSQL does not take in the order of arrival what is said of people.
 */
export type People = 'settled' | 'contested'

/** Any request whose signature would hold. */
export function randomIntake(random: Random, people: People): Intake {
  const made = new Webhooks(random, people)
  const [provider, body] = random() < 0.2 ? made.flat() : made.cloudApi()
  const bytes = Buffer.from(body)
  const events = provider === 'flat' ? [parseFlatMessage(bytes)] : parseCloudApi(bytes, ARRIVAL)
  return { provider, body: bytes, headers: { 'user-agent': 'x' }, receivedAt: ARRIVAL, events }
}

class Webhooks {
  readonly #random: Random
  readonly #isContested: boolean

  constructor(random: Random, people: People) {
    this.#random = random
    this.#isContested = people === 'contested'
  }

  flat() {
    const message = {
      message_id: this.#oneOf(MESSAGE_IDS).replace('\u0000', ''),
      from: `+${this.#oneOf(PHONES)}`,
      to: `+${this.#oneOf(PHONES)}`,
      ts: this.#oneOf(FLAT_TIMES),
      text: this.#oneOf([...TEXTS, null]),
    }
    return ['flat', JSON.stringify(message)] as const
  }

  cloudApi() {
    const changes = this.#several(() => this.#change())
    return ['cloud-api', this.#random() < 0.02 ? 'no JSON' : metaJson(batch(...changes))] as const
  }

  #oneOf<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random() * values.length)] as Value
  }

  #several<Value>(make: () => Value): Value[] {
    const isOne = this.#isContested || this.#random() < 0.6
    return Array.from({ length: isOne ? 1 : 2 + Math.floor(this.#random() * 3) }, make)
  }

  /** What is said of a person counts by its moment; of one moment, what arrived last. So none is twice. */
  #moment(): string {
    return String(Math.floor(1_736_935_200_000 + this.#random() * 100_000_000))
  }

  #change(): Fields {
    const draw = this.#random()
    if (draw < 0.4) return this.#messages()
    if (draw < 0.6) return change({ statuses: this.#several(() => this.#status()) })
    if (draw < 0.7) return this.#echo()
    if (draw < 0.85) return this.#history()
    return this.#isContested && draw < 0.92 ? this.#newId() : this.#other()
  }

  #messages(): Fields {
    const messages = this.#several(() => this.#message())
    return change({ messages, ...this.#contacts() })
  }

  #echo(): Fields {
    const echo = { ...this.#message(), from: '14155550101', ...this.#address('to') }
    return change({ message_echoes: [echo] }, 'smb_message_echoes')
  }

  #history(): Fields {
    const messages = this.#several(() => ({
      ...{ ...this.#message(), ...this.#address('from') },
      ...(this.#random() < 0.5 ? { type: 'media_placeholder', text: undefined } : {}),
    }))
    const metadata = { phase: 1, chunk_order: Math.floor(this.#random() * 3) }
    const message_id = this.#oneOf([undefined, undefined, 'm1', 'x\u0000y', LONG])
    return change({ history: [{ metadata, message_id, threads: [{ messages }] }] }, 'history')
  }

  /** Of nobody, so that many are of one moment, or of somebody. */
  #status(): Fields {
    const status = { id: this.#oneOf(MESSAGE_IDS), status: this.#oneOf(STATUSES) }
    const draw = this.#random()
    if (draw < 0.5) return { ...status, timestamp: String(this.#oneOf(SECONDS)) }
    const [phone, userId] = this.#person()
    const timestamp = this.#moment()
    if (draw > 0.6) return { ...status, timestamp, recipient_id: phone, recipient_user_id: userId }
    return { ...status, timestamp, recipient_type: 'group', recipient_participant_id: phone }
  }

  #newId(): Fields {
    const update = {
      ...(this.#random() < 0.5 ? { wa_id: this.#oneOf(PHONES) } : {}),
      user_id: { previous: this.#oneOf(USER_IDS), current: this.#oneOf([...USER_IDS, '']) },
      timestamp: this.#moment(),
    }
    return change({ user_id_update: [update] }, 'user_id_update')
  }

  #other(): Fields {
    const contact = { full_name: 'Book', phone_number: this.#oneOf(PHONES) }
    const entry = { contact, action: 'add', metadata: { timestamp: this.#moment() } }
    const odd = { brand: this.#oneOf(TEXTS), [LONG]: LONG }
    return this.#oneOf<Fields>([
      change({ errors: [{ code: 1 }] }),
      change({ calls: [{ id: 'c', event: 'connect', ...this.#address('from') }] }, 'calls'),
      change({ event: 'DISABLED_UPDATE' }, 'account_update'),
      change(odd, this.#oneOf(['new', LONG, '\u0000'])),
      { field: 'messages', value: this.#oneOf([null, {}, { messages: 'odd' }]) },
      ...(this.#isContested ? [change({ state_sync: [entry] }, 'smb_app_state_sync')] : []),
    ])
  }

  #message(): Fields {
    const id = this.#random() < 0.03 ? this.#oneOf(['', LONG]) : this.#oneOf(MESSAGE_IDS)
    const item = { id, timestamp: this.#moment(), ...this.#address('from') }
    const body = { body: this.#oneOf(TEXTS) }
    const original_message_id = this.#oneOf(MESSAGE_IDS)
    const edit = { original_message_id, message: { type: 'text', text: body } }
    const reaction = { message_id: original_message_id, emoji: '👍' }
    return this.#oneOf<Fields>([
      { ...item, type: 'text', text: body },
      { ...item, type: 'text', text: body },
      { ...item, type: 'image', image: { id: '7', caption: body.body } },
      { ...item, type: 'reaction', reaction },
      { ...item, type: 'hologram' },
      { ...item, type: 'media_placeholder' },
      { ...item, id: `e-${id}`, type: 'edit', edit },
      { ...item, id: `r-${id}`, type: 'revoke', revoke: { original_message_id } },
      ...(this.#isContested ? [{ ...item, type: 'system', system: this.#system() }] : []),
    ])
  }

  #system(): Fields {
    return this.#oneOf<Fields>([
      { type: 'user_changed_number', new_wa_id: this.#oneOf(PHONES), body: 'moved' },
      { type: 'user_changed_user_id', user_id: this.#oneOf(USER_IDS) },
    ])
  }

  /** A number and an id, one of which may be missing. */
  #person(): readonly [string | undefined, string | undefined] {
    const place = Math.floor(this.#random() * PHONES.length)
    const userId = this.#isContested ? this.#oneOf(USER_IDS) : USER_IDS[place]
    const draw = this.#random()
    return [draw < 0.65 ? PHONES[place] : undefined, draw > 0.35 ? userId : undefined]
  }

  #address(name: 'from' | 'to'): Fields {
    const [phone, userId] = this.#random() < 0.03 ? [] : this.#person()
    return { [name]: phone, [`${name}_user_id`]: userId }
  }

  #contacts(): Fields {
    if (this.#random() < 0.6) return {}
    if (this.#isContested) {
      const [wa_id, user_id] = this.#person()
      return { contacts: [{ wa_id, user_id, profile: this.#profile() }] }
    }
    const contacts = PHONES.map((wa_id, i) => ({
      ...{ wa_id, user_id: USER_IDS[i], profile: this.#profile() },
    }))
    return { contacts }
  }

  /** Both, as the moment of a profile is that of all that is in it. */
  #profile(): Fields {
    return {
      name: this.#oneOf(['Ada', 'Bob', 'Zoë', 'İ']),
      username: this.#oneOf([`@${USERNAMES[0]}`, USERNAMES[1]]),
    }
  }
}
