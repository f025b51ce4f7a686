// What became of a message that was sent: a history of statuses, and the one that counts now.
import type { Instant } from './instant.ts'

/** One status of one message. `status` is the sender's word for it, known to us or not. */
export type StatusMark = { readonly status: string; readonly instant: Instant }

/** Statuses in the order of what they prove. A later one implies those before it. */
const PROGRESS: readonly string[] = ['sent', 'delivered', 'read', 'played']

/**
 * The status that counts, computed from all of them, so that the order of their arrival can't
 * matter. Deleted is final. Whatever was read or played did not fail; a delivery counts against a
 * failure only when it happened later (another device got it); being sent never does. Statuses of
 * other names count only where there is nothing else. Null without any.
 */
export function currentStatus(history: readonly StatusMark[]): string | null {
  const has = (status: string) => history.some((mark) => mark.status === status)
  if (has('deleted')) return 'deleted'
  const furthest = PROGRESS.findLast(has)
  if (has('failed') && !outweighsFailure(furthest, history)) return 'failed'
  return furthest ?? latestOf(history)
}

function outweighsFailure(furthest: string | undefined, history: readonly StatusMark[]): boolean {
  if (furthest === 'read' || furthest === 'played') return true
  if (furthest !== 'delivered') return false
  const last = (status: string) =>
    history
      .filter((mark) => mark.status === status)
      .reduce((latest, { instant }) => (instant > latest ? instant : latest), '')
  return last('delivered') > last('failed')
}

function latestOf(history: readonly StatusMark[]): string | null {
  const [latest] = history.toSorted((a, b) =>
    a.instant === b.instant ? byBytes(b.status, a.status) : a.instant < b.instant ? 1 : -1,
  )
  return latest?.status ?? null
}

/** As SQL compares texts: UTF-16 units come in another order. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
