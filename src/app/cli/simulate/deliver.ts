// Made-up webhooks on their way: signed, posted at a pace, and counted.
import { print, tell } from '../command.ts'
import { post } from '../post.ts'
import { Progress } from '../progress.ts'
import { inTurns } from '../send-many.ts'
import { Tally } from '../tally.ts'
import type { Traffic } from './traffic.ts'

/** Requests a second, how many are on their way at once, and how often each is tried again. */
export type Pace = {
  readonly rate: number
  readonly concurrency: number
  readonly retries: number
}

type Delivery = Pace & { readonly url: URL; readonly secret: string; readonly stop: AbortSignal }

type Delivered = Pick<Tally, 'allSent' | 'isComplete'>

/** Posts everything until told to stop, and prints a summary. */
export async function deliver({ bodies }: Traffic, delivery: Delivery): Promise<Delivered> {
  const { url, secret, rate, concurrency, retries, stop } = delivery
  const target = { url: new URL('/webhook/cloud-api', url), secret, retries }
  const tally = new Tally('requests')
  const progress = new Progress('Sending', 'requests')
  let next = 0
  await inTurns({ count: bodies.length, rate, concurrency }, stop, async () => {
    const body = bodies[next++] ?? ''
    const answer = await post(body, {
      ...target,
      header: 'x-hub-signature-256',
      stop,
      onRetry: () => tally.addRetry(),
    })
    tally.add(answer)
    progress.update(tally.answers, bodies.length)
  })
  progress.finish()
  tally.addUnsent(bodies.length - next)
  for (const line of tally.summary()) print(line)
  if (!tally.allAccepted) tell('Not every request was answered 200.')
  return tally
}
