// Many made-up messages on their way at once, at a pace, with a summary at the end.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { ENDED, FAILED, type NumberRange, print, tell } from './command.ts'
import { type MadeUpRun, madeUpMessage, type WireMessage } from './made-up.ts'
import { post, type Target } from './post.ts'
import { Progress } from './progress.ts'
import { randomFrom } from './random.ts'
import { interruptible } from './signals.ts'
import { Tally } from './tally.ts'

/** Where to, and what every try has in common. */
export type WebhookTarget = Pick<Target, 'url' | 'secret' | 'retries'>

/** What may be asked for as a rate: requests a second. */
export const RATES: NumberRange = { least: 0.001, most: 1e6, whole: false }

/** Fields that are given and not made up. */
export type GivenFields = Partial<Omit<WireMessage, 'message_id'>>

export type Many = {
  readonly count: number
  /** Messages a second; Infinity for as fast as answers come. */
  readonly rate: number
  readonly concurrency: number
  readonly seed: string | undefined
}

/** Sends them and prints the summary; resolves with the exit code. */
export async function sendMany(
  { many, fields }: { many: Many; fields: GivenFields },
  target: WebhookTarget,
): Promise<number> {
  const { count, seed } = many
  const tally = new Tally()
  const progress = new Progress('Sending', 'messages')
  const run: MadeUpRun = {
    run: seed ?? randomBytes(8).toString('hex'),
    random: randomFrom(seed ?? randomUUID()),
    seeded: seed !== undefined,
  }
  let next = 0
  await interruptible((stop) =>
    inTurns(many, stop, async () => {
      const message = { ...madeUpMessage(run, next++), ...fields }
      const onRetry = () => tally.addRetry()
      tally.add(await post(JSON.stringify(message), { ...target, stop, onRetry }))
      progress.update(tally.answers, count)
    }),
  )
  progress.finish()
  tally.addUnsent(count - next)
  for (const line of tally.summary()) print(line)
  if (!tally.allAccepted) tell('Not every message was answered 200.')
  return tally.isComplete ? ENDED : FAILED
}

/** Runs `work` `count` times, so many at once and a second; `work` begins in order. */
export async function inTurns(
  { count, rate, concurrency }: Omit<Many, 'seed'>,
  stop: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const start = performance.now()
  let begun = 0
  const worker = async () => {
    while (begun < count && !stop.aborted) {
      const waitMs = start + (begun++ * 1000) / rate - performance.now()
      if (waitMs > 1) await wait(waitMs, undefined, { signal: stop }).catch(() => {})
      if (!stop.aborted) await work()
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
}
