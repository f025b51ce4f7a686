// What happened to one message. There is no end to it, so of each list an answer holds the latest;
// everything is in the sequence.
import type { DetailList } from '../../model/message.ts'
import { asTheyHappened } from './edits.ts'
import { fittingOf, type Listed } from './long-texts.ts'
import { type EventRow, LISTED_EVENTS_SQL, LISTED_MESSAGES_SQL, type MessageRow } from './rows.ts'

/** Entries of a list at most: a group has a thousand members or so. */
const MOST = 1000

/**
 * Statuses, edits and revocations of a message: of each the latest, and one more. Its two values are the
 * id of that message: without the first, a server that has no statistics yet would read all events.
 */
export const EVENTS_OF_MESSAGE_SQL = `${LISTED_EVENTS_SQL} where message_id = ? and seq in (
    select seq from (
      select seq, row_number() over (partition by kind ${asTheyHappened('desc')}) as place
      from events where message_id = ? and kind in ('status', 'edit', 'revoke')) as placed
    where place <= ${MOST + 1})
  ${asTheyHappened('asc')}`

/**
 * The reactions that this condition finds, of each person the last one: of these the latest, and one
 * more. The contact of what the business sent is whom it went to.
 */
export function reactionsSql(condition: string): string {
  return `${LISTED_MESSAGES_SQL} where seq in (
      select seq from (
        select seq, instant, row_number() over (
          partition by case when direction = 'inbound' then coalesce(contacts.key, sender) else sender end
          order by instant desc, seq desc) as place
        from messages left join contacts on contacts.id = messages.contact
        where ${condition}) as placed
      where place = 1 order by instant desc, seq desc limit ${MOST + 1})
    order by instant, seq`
}

type Found = {
  /** The rows of EVENTS_OF_MESSAGE_SQL. */
  readonly events: readonly Listed<EventRow>[]
  /** The rows of `reactionsSql`. */
  readonly reactions: readonly Listed<MessageRow>[]
}

/** What an answer holds of what was found, and which of its lists are short of earlier entries. */
export function happenedOf({ events, reactions }: Found) {
  const of = (kind: EventRow['kind']) => events.filter((event) => event.kind === kind)
  const found = { statuses: of('status'), edits: of('edit'), reactions }
  const held = {
    statuses: latestOf(found.statuses),
    edits: latestOf(found.edits),
    reactions: latestOf(reactions),
  }
  const kept = new Set([...held.statuses, ...held.edits, ...of('revoke').slice(0, 1)])
  const lists: readonly DetailList[] = ['statuses', 'edits', 'reactions']
  return {
    events: events.filter((event) => kept.has(event)),
    reactions: held.reactions,
    shortened: lists.filter((list) => held[list].length < found[list].length),
  }
}

/** The last of the rows, as many as an answer may hold. */
function latestOf<Row extends Listed<unknown>>(rows: readonly Row[]): readonly Row[] {
  return fittingOf(rows.slice(-MOST).toReversed()).toReversed()
}
