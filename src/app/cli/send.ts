// The command `send`: signs messages and posts them to a webhook, one or many.
import { randomUUID } from 'node:crypto'
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
import { RECIPIENT, type WireMessage } from './made-up.ts'
import { post } from './post.ts'
import { type GivenFields, type Many, RATES, sendMany, type WebhookTarget } from './send-many.ts'
import { configuration, serviceUrl, signingSecret } from './settings.ts'

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
    ) as GivenFields
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
  // It becomes a part of every id.
  if (values.seed !== undefined && !/^.{1,100}$/u.test(values.seed)) {
    throw new UsageError('--seed should have 1 to 100 characters.')
  }
  const concurrency = { least: 1, most: 10_000, whole: true }
  return {
    count,
    rate: numberOption('rate', values.rate, RATES) ?? Infinity,
    concurrency: numberOption('concurrency', values.concurrency, concurrency) ?? 10,
    seed: values.seed,
  }
}

function urlFrom(text: string | undefined, config: Config): URL {
  const url = serviceUrl(text, config)
  if (url.pathname === '/') url.pathname = '/webhook'
  return url
}

async function sendOne(
  { id, fields }: { id: string | undefined; fields: GivenFields },
  target: WebhookTarget,
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
  if (code === 401) tell('GET /rejections names the likely cause.')
  return FAILED
}
