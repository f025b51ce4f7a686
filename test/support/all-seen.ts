// Everything that a reader of a store can see, in a form that two engines can be compared in.
import { fold } from '../../src/app/model/fold.ts'
import type { MessageFilter, Order } from '../../src/app/model/message.ts'
import type { MessageStore } from '../../src/app/store/store.ts'
import { instantOf } from '../contract/corpus.ts'
import { BUSINESS } from './cloud-api.ts'
import { MESSAGE_IDS, PHONES, USER_IDS, USERNAMES } from './random-webhooks.ts'

const FILTERS: readonly MessageFilter[] = [
  {},
  ...PHONES.flatMap((phone) => [{ from: `+${phone}` }, { to: `+${phone}` }]),
  ...USER_IDS.map((from) => ({ from })),
  ...[...PHONES.map((phone) => `+${phone}`), ...USER_IDS, ...USERNAMES, '@ada'].map((contact) => ({
    contact,
  })),
  ...['text', 'image', 'media_placeholder', 'system', 'none'].map((type) => ({ type })),
  ...['read', 'failed', '\uffee'].map((status) => ({ status })),
  ...(['inbound', 'outbound'] as const).map((direction) => ({ direction })),
  ...['hel', 'h', 'é', 'fé a', '👩🏽', 'xxxx', '\ufffd', '👍', 'nowhere'].map((text) => ({
    search: fold(text),
  })),
  { since: instantOf('2025-01-15T10:00:01Z') },
  { until: instantOf('2025-01-15T10:00:02Z'), phoneNumberId: BUSINESS.phone_number_id },
  { search: 'e', direction: 'inbound', since: instantOf('2025-01-15T10:00:00.5Z') },
  { contact: 'US.1', type: 'text' },
  { from: `+${PHONES[0]}`, to: '+14155550101', status: 'read' },
]

type Numbering = { readonly seqs: Map<number, number>; readonly intakes: Map<number, string> }

/**
 * What is seen, with each number of the sequence as its rank, since PostgreSQL's has gaps, and each
 * intake as the digest of its body.
 */
export async function everythingIn(store: MessageStore) {
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 100_000 })
  const numbering: Numbering = { seqs: new Map(), intakes: new Map() }
  const bodies: Record<string, string> = {}
  for (const entry of entries) {
    const { seq } = entry.kind === 'message' ? entry.message : entry.event
    numbering.seqs.set(seq, numbering.seqs.size + 1)
    const intake = entry.kind === 'message' ? entry.intake : entry.event.intake
    if (numbering.intakes.has(intake)) continue
    const facts = await store.intake(intake)
    const key = `${facts?.sha256} ${numbering.intakes.size}`
    numbering.intakes.set(intake, key)
    bodies[key] =
      `${facts?.bytes} ${Buffer.from((await store.rawBody(intake)) ?? []).toString('base64')}`
  }
  const lists: Record<string, unknown> = {}
  for (const filter of FILTERS) {
    for (const order of ['asc', 'desc'] as const) {
      lists[`${JSON.stringify(filter)} ${order}`] = await listOf(store, filter, order)
    }
  }
  const found = await Promise.all(
    MESSAGE_IDS.map((id) => store.find(id.replace('\u0000', '\ufffd'))),
  )
  return normalised(
    {
      ...{ entries, bodies, lists, found, stats: await store.stats() },
      people: await conversationsOf(store),
      someEvents: await Promise.all(
        [
          { kinds: ['status', 'edit'] as const },
          { contact: 'US.1' },
          { contact: '+14155550100' },
        ].map(
          async (filter) => (await store.eventsAfter({ filter, after: 0, limit: 9999 })).entries,
        ),
      ),
    },
    numbering,
  )
}

/** All pages of a list. */
async function listOf(store: MessageStore, filter: MessageFilter, order: Order) {
  const request = { filter, order, limit: 7, offset: 0 } as const
  let page = await store.page(request)
  const { total } = page
  const messages = [...page.messages]
  while (page.next !== null) {
    page = await store.page({ ...request, after: page.next })
    messages.push(...page.messages)
  }
  const { messages: shifted } = await store.page({ ...request, offset: 3 })
  return { total, seqs: seqsOf(messages), shifted: seqsOf(shifted) }
}

function seqsOf(messages: readonly { readonly seq: number }[]) {
  return messages.map(({ seq }) => ({ seq }))
}

async function conversationsOf(store: MessageStore) {
  let page = await store.conversations({ limit: 3 })
  const all = [...page.conversations]
  while (page.next !== null) {
    page = await store.conversations({ limit: 3, after: page.next })
    all.push(...page.conversations)
  }
  return all
}

function normalised<Seen>(seen: Seen, { seqs, intakes }: Numbering): Seen {
  const json = JSON.stringify(seen, (name, value) => {
    if (name === 'seq') return seqs.get(value) ?? `unknown ${value}`
    if (name === 'intake') return intakes.get(value) ?? `unknown ${value}`
    return value
  })
  return JSON.parse(json)
}

/**
 * What is seen of a store whose replicas took turns that nobody decides: without the numbers of the
 * sequence and of intakes, and in no order where theirs is the only one.
 */
export function withoutNumbers(seen: Awaited<ReturnType<typeof everythingIn>>) {
  const { entries, someEvents, bodies, ...others } = JSON.parse(
    JSON.stringify(seen, (name, value) =>
      name === 'seq' || name === 'intake' ? undefined : value,
    ),
  ) as typeof seen
  return {
    ...others,
    entries: inAnyOrder(entries),
    someEvents: someEvents.map(inAnyOrder),
    bodies: Object.values(bodies).sort(),
  }
}

function inAnyOrder(list: readonly unknown[]): string[] {
  return list.map((each) => JSON.stringify(each)).sort()
}
