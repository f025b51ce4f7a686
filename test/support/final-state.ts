// What is left in a store in the end: what a reader sees of it, but for what the order of arrival decides.
import { PLACEHOLDER_FILLED } from '../../src/app/model/content.ts'
import type { MessageDetail } from '../../src/app/model/message.ts'
import type { MessageStore } from '../../src/app/store/store.ts'

const WHOLE = { filter: {}, order: 'asc', limit: 100, offset: 0 } as const

/** Of up to a hundred messages and people: without numbers, and without which request it came in. */
export async function finalStateOf(store: MessageStore) {
  const { messages } = await store.page(WHOLE)
  const details: (MessageDetail | null)[] = []
  for (const { messageId } of messages) details.push(await store.find(messageId))
  const { conversations } = await store.conversations({ limit: 100 })
  const { entries } = await store.eventsAfter({ filter: {}, after: 0, limit: 10_000 })
  const events = entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
  // That a placeholder got its content is told where it was one before.
  const { history: _, ...eventsByKind } = (await store.stats()).eventsByKind
  return comparable({
    messages,
    details,
    people: conversations.map(({ contact, messages, last }) => ({
      ...{ contact, messages, last: last.messageId },
    })),
    events: events
      .filter(({ type }) => type !== PLACEHOLDER_FILLED)
      .map((event) => JSON.stringify(comparable(event)))
      .sort(),
    stats: { ...(await store.stats()), eventsByKind },
  })
}

function comparable<Seen>(seen: Seen): Seen {
  const json = JSON.stringify(seen, (name, value) =>
    name === 'seq' || name === 'intake' ? undefined : value,
  )
  return JSON.parse(json)
}
