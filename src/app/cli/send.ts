// The command `send`: signs messages and posts them to a webhook, one or many.
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import {
  type Command,
  ENDED,
  FAILED,
  numberOption,
  parseOptions,
  print,
  quoted,
  tell,
  UsageError,
} from './command.ts'
import { type MadeUpRun, madeUpMessage, RECIPIENT, randomFrom, type WireMessage } from './made-up.ts'
import { post, type Target } from './post.ts'
import { Progress } from './progress.ts'
import { configuration, signingSecret } from './settings.ts'
import { Tally } from './tally.ts'

const HELP = `
Usage: node src/main.ts send [options]
       node src/main.ts send --count N [--rate R] [--concurrency C] [--seed S] [options]

Signs one message, or many made-up ones, and posts them to a webhook. The secret comes from
WEBHOOK_SECRET in the environment or in .env, never from the command line, which everybody on
the machine can read.

Options:
  --url URL          Where to; an address without a path means its /webhook.
                     Default: http://localhost:PORT/webhook, as configured.
  --id ID            The message id. Default: a new one each time.
  --from NUMBER      The sender. Default: +14155550100.
  --to NUMBER        The recipient. Default: ${RECIPIENT}.
  --ts TIME          When it was sent, such as 2025-01-15T10:00:00Z. Default: now.
  --text TEXT        The text. Default: Hello.
  --retry N          How often a message is sent again after 408, 429, 5xx or no answer,
                     waiting for as long as Retry-After says, otherwise 1, 2, 4 … seconds,
                     never more than 60. Sending again is safe: a message is stored once.
                     0 reports the first answer as it is. Default: 3.

Many messages:
  --count N          How many. Texts in many scripts, a few busy senders among a thousand;
                     --from, --to, --ts and --text set a field of all of them.
  --rate R           At most this many a second. Default: as fast as answers come.
  --concurrency C    How many may be on their way at once. Default: 10.
  --seed S           The same seed makes the same messages, ids and times included, so a
                     second run sends duplicates. Without it every run has new ones.

The summary counts answers by code and shows the latency of the last try of each message.
Ctrl-C stops sending and shows the summary of what was sent.

Exit codes: 0 every message was answered 200, 1 not every one, 2 wrong usage or configuration.
`

const OPTIONS = {
  url: { type: 'string' },
  id: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  ts: { type: 'string' },
  text: { type: 'string' },
  retry: { type: 'string' },
  count: { type: 'string' },
  rate: { type: 'string' },
  concurrency: { type: 'string' },
  seed: { type: 'string' },
} as const

type Fields = Partial<Omit<WireMessage, 'message_id'>>
type Many = {
  readonly count: number
  readonly rate: number
  readonly concurrency: number
  readonly seed: string | undefined
}
type Values = Partial<Record<keyof typeof OPTIONS, string>>

/** Sends messages. */
export const sendCommand: Command = {
  name: 'send',
  summary: 'Sign and send a message, or many made-up ones.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, OPTIONS)
    const many = manyFrom(values)
    const retries = numberOption('retry', values.retry, { least: 0, most: 100, whole: true }) ?? 3
    const config = configuration()
    const target = { url: urlFrom(values.url, config), secret: signingSecret(config), retries }
    const { from, to, ts, text } = values
    const given = { from, to, ts, text }
    const fields = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined),
    ) as Fields
    return many === null
      ? await sendOne({ id: values.id, fields }, target)
      : await sendMany({ many, fields }, target)
  },
}

function manyFrom(values: Values): Many | null {
  const count = numberOption('count', values.count, { least: 1, most: 1e9, whole: true })
  if (count === undefined) {
    for (const name of ['rate', 'concurrency', 'seed'] as const) {
      if (values[name] !== undefined) throw new UsageError(`--${name} needs --count.`)
    }
    return null
  }
  if (values.id !== undefined) {
    throw new UsageError('--id can be given to one message only, and not with --count.')
  }
  const concurrency = { least: 1, most: 10_000, whole: true }
  return {
    count,
    rate: numberOption('rate', values.rate, { least: 0.001, most: 1e6, whole: false }) ?? Infinity,
    concurrency: numberOption('concurrency', values.concurrency, concurrency) ?? 10,
    seed: values.seed,
  }
}

function urlFrom(text: string | undefined, { host, port }: Config): URL {
  if (text === undefined) {
    if (port === 0) throw new UsageError('--url is needed where PORT is 0.')
    const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host
    return new URL(`http://${name.includes(':') ? `[${name}]` : name}:${port}/webhook`)
  }
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new UsageError('--url should be an address such as http://localhost:8000/webhook.')
  }
  if (url.pathname === '/') url.pathname = '/webhook'
  return url
}

type Signed = Pick<Target, 'url' | 'secret' | 'retries'>

async function sendOne(
  { id, fields }: { id: string | undefined; fields: Fields },
  target: Signed,
): Promise<number> {
  const message: WireMessage = {
    message_id: id ?? `sent.${randomUUID()}`,
    from: '+14155550100',
    to: RECIPIENT,
    ts: new Date().toISOString(),
    text: 'Hello',
    ...fields,
  }
  const { code, body, ms } = await post(JSON.stringify(message), {
    ...target,
    stop: new AbortController().signal,
    onRetry: (answer, waitMs) => tell(`${answer.code}; trying again in ${waitMs / 1000} s.`),
  })
  if (typeof code === 'string') throw new Error(`${target.url.host} gave no answer (${code}).`)
  print(`${code} ${quoted(message.message_id)} in ${ms.toFixed(1)} ms`)
  if (code === 200) return ENDED
  tell(`The service answered ${code}: ${quoted(body.slice(0, 1000))}`)
  return FAILED
}

async function sendMany(
  { many, fields }: { many: Many; fields: Fields },
  target: Signed,
): Promise<number> {
  const { count, seed } = many
  const tally = new Tally()
  const progress = new Progress('Sending', 'messages')
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  // Once: a second one ends the process as usual.
  process.once('SIGINT', onSignal)
  const run: MadeUpRun = {
    run: seed ?? randomBytes(8).toString('hex'),
    random: randomFrom(seed ?? randomUUID()),
    seeded: seed !== undefined,
  }
  let next = 0
  await inTurns(many, stop.signal, async () => {
    const message = { ...madeUpMessage(run, next++), ...fields }
    const onRetry = () => tally.addRetry()
    tally.add(await post(JSON.stringify(message), { ...target, stop: stop.signal, onRetry }))
    progress.update(tally.answers, count)
  })
  process.off('SIGINT', onSignal)
  progress.finish()
  tally.addUnsent(count - next)
  for (const line of tally.summary()) print(line)
  if (tally.allAccepted) return ENDED
  tell('Not every message was answered 200.')
  return FAILED
}

/** Runs `work` `count` times, so many at once and a second; `work` begins in order. */
async function inTurns(
  { count, rate, concurrency }: Many,
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
