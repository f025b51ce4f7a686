// What a store should answer, by the plainest means: an array, a scan and a sort.
import { fold } from '../../src/app/model/fold.ts'
import type { PageRequest, Stats } from '../../src/app/model/message.ts'
import { type AMessage, asShown } from './a-message.ts'

type Place = Pick<AMessage, 'instant' | 'messageId'>

/** The page of `messages` (ids all different) that a store should give for a request. */
export function modelPage(messages: readonly AMessage[], request: PageRequest) {
  const { filter, order, limit, offset, after } = request
  const matching = messages
    .filter(({ from }) => filter.from === undefined || from === filter.from)
    .filter(({ to }) => filter.to === undefined || to === filter.to)
    .filter(({ instant }) => filter.since === undefined || instant >= filter.since)
    .filter(({ instant }) => filter.until === undefined || instant < filter.until)
    .filter(({ text }) => contains(text, filter.search))
    .sort(inOrder)
  if (order === 'desc') matching.reverse()
  const behind = order === 'asc' ? 1 : -1
  const rest = matching.filter((each) => !after || inOrder(each, after) === behind)
  const shown = rest.slice(offset, offset + limit)
  const last = rest.length > offset + limit ? shown.at(-1) : undefined
  return {
    messages: shown.map(asShown),
    total: matching.length,
    next: last === undefined ? null : { instant: last.instant, messageId: last.messageId },
  }
}

/** The statistics of messages that arrived in this order; of equal ids the first counts. */
export function modelStats(arrived: readonly AMessage[]): Stats {
  const stored = new Map<string, AMessage>()
  for (const message of arrived) {
    if (!stored.has(message.messageId)) stored.set(message.messageId, message)
  }
  const messages = [...stored.values()].sort(inOrder)
  const counts = new Map<string, number>()
  for (const { from } of messages) counts.set(from, (counts.get(from) ?? 0) + 1)
  const senders = [...counts]
    .map(([from, count]) => ({ from, count }))
    .sort((a, b) => b.count - a.count || (a.from < b.from ? -1 : 1))
  return {
    totalMessages: messages.length,
    sendersCount: senders.length,
    topSenders: senders.slice(0, 10),
    firstMessageTs: messages.at(0)?.ts ?? null,
    lastMessageTs: messages.at(-1)?.ts ?? null,
    messagesByType: countedBy(messages, ({ type }) => type),
    messagesByDay: countedBy(messages, ({ instant }) => instant.slice(0, 10)),
    messagesByStatus: {},
    eventsByKind: countedBy(messages, ({ kind }) => kind),
  }
}

function countedBy(messages: readonly AMessage[], keyOf: (message: AMessage) => string) {
  const counts: Record<string, number> = {}
  for (const message of messages) counts[keyOf(message)] = (counts[keyOf(message)] ?? 0) + 1
  return counts
}

function contains(text: string | null, folded: string | undefined): boolean {
  if (folded === undefined) return true
  return text !== null && fold(text).includes(folded)
}

/** By instant, then by id in the order of its code points, which is that of its bytes in UTF-8. */
function inOrder(a: Place, b: Place): number {
  if (a.instant !== b.instant) return a.instant < b.instant ? -1 : 1
  return Buffer.compare(Buffer.from(a.messageId), Buffer.from(b.messageId))
}
