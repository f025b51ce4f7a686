// What of an entry may change that a reader of the sequence has seen, as docs/cloud-api.md lists it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomFrom } from '../../src/app/cli/random.ts'
import { presentEntry } from '../../src/app/http/present.ts'
import { PLACEHOLDER_FILLED } from '../../src/app/model/content.ts'
import type { Intake } from '../../src/app/model/event.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { intakeWith } from '../support/cloud-intake.ts'
import { randomHistory } from '../support/random-histories.ts'
import { type People, randomIntake } from '../support/random-webhooks.ts'
import { type NewPlace, usePlace } from './store-place.ts'

type Entry = ReturnType<typeof presentEntry>
type Changed = { readonly entry: Entry; readonly fields: readonly string[] }

/** Without an entry that tells of it. */
const SILENTLY: Readonly<Record<string, readonly string[]>> = {
  status: ['ts', 'stale', 'contact', 'business_phone_number_id', 'data'],
  message: ['contact', 'message.contact'],
}
/** With an edit, a revocation or the content of a placeholder. */
const WITH_TEXT = [
  ...['text', 'type', 'message.text', 'message.type', 'message.edited', 'message.revoked'],
  ...['message.media', 'message.context', 'message.content', 'message.to'],
]
const REQUESTS = 60

export function mirrorContract(newPlace: NewPlace): void {
  describe('changes of what a reader has seen', () => {
    it('what is said to change, and nothing else', async (test) => {
      const seen = new Set<string>()
      for (const intakes of [made(1, 'settled'), made(2, 'contested'), history(3), history(4)]) {
        const store = await (await usePlace(test, newPlace)).open()
        for (const field of await changesIn(store, intakes)) seen.add(field)
        await store.close()
      }
      for (const field of [
        ...['status data', 'status ts', 'message contact', 'message message.status'],
        ...['message text', 'message message.type', 'message message.to'],
      ]) {
        assert.ok(seen.has(field), `${field} was never changed`)
      }
    })
  })
}

function made(seed: number, people: People): Intake[] {
  const random = randomFrom(seed)
  return Array.from({ length: REQUESTS }, () => randomIntake(random, people))
}

/** In any order. */
function history(seed: number): Intake[] {
  const random = randomFrom(seed)
  return randomHistory(random, REQUESTS)
    .map((change) => ({ intake: intakeWith(change), place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ intake }) => intake)
}

/** The fields that changed, each behind the kind of its entry. */
async function changesIn(store: MessageStore, intakes: readonly Intake[]): Promise<string[]> {
  const found: string[] = []
  let before: readonly Entry[] = []
  for (const intake of intakes) {
    await store.insert([intake])
    const after = await entriesIn(store)
    const changed = before.flatMap((entry, i) => {
      const fields = differences(entry, after[i])
      return fields.length === 0 ? [] : [{ entry, fields }]
    })
    const news = after.slice(before.length)
    for (const each of changed) assertTold(each, news, changed)
    found.push(...changed.flatMap(({ entry, fields }) => fields.map((f) => `${entry.kind} ${f}`)))
    before = after
  }
  return found
}

async function entriesIn(store: MessageStore): Promise<Entry[]> {
  const { entries, more } = await store.eventsAfter({ filter: {}, after: 0, limit: 10_000 })
  assert.ok(!more)
  return entries.map(presentEntry)
}

function differences(before: Entry, after: Entry | undefined): string[] {
  const [one, other] = [flat(before), flat(after)]
  return Object.keys({ ...one, ...other }).filter((name) => one[name] !== other[name])
}

/** Each field as JSON, those of the message by names of their own. */
function flat(entry: Entry | undefined): Readonly<Record<string, string | undefined>> {
  const { message, ...fields } = { message: {}, ...entry }
  const ofMessage = Object.entries(message).map(([name, value]) => [`message.${name}`, value])
  return Object.fromEntries(
    [...Object.entries(fields), ...ofMessage].map(([name, value]) => [name, JSON.stringify(value)]),
  )
}

/** Asserts that what changed of an entry may, and that an entry tells of it where one has to. */
function assertTold(
  { entry, fields }: Changed,
  news: readonly Entry[],
  changed: readonly Changed[],
): void {
  const isOfMessage = (other: Entry) => other.message_id === entry.message_id
  const changesText = (other: Entry) =>
    ['edit', 'revoke'].includes(other.kind) || other.type === PLACEHOLDER_FILLED
  const isStatus = ({ kind }: Entry) => kind === 'status'
  const told = [
    ...(SILENTLY[entry.kind] ?? ['contact']),
    ...(news.some((other) => isOfMessage(other) && changesText(other)) ? WITH_TEXT : []),
    ...([...news, ...changed.map((other) => other.entry)].some(
      (other) => isOfMessage(other) && isStatus(other),
    )
      ? ['message.status']
      : []),
  ]
  for (const field of fields) {
    assert.ok(told.includes(field), `${field} of ${entry.kind} ${entry.key} changed untold`)
  }
}
