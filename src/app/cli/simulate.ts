// The command `simulate`: WhatsApp as far as a webhook is concerned, made up and signed.
import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../errors.ts'
import { Api } from './api.ts'
import {
  type Command,
  ENDED,
  FAILED,
  grouped,
  numberOption,
  parseOptions,
  print,
  tell,
  UsageError,
} from './command.ts'
import { SEEDED_START } from './made-up.ts'
import { RATES } from './send-many.ts'
import { configuration, serviceUrl } from './settings.ts'
import { interruptible } from './signals.ts'
import { checkHeld } from './simulate/check.ts'
import { deliver, type Pace } from './simulate/deliver.ts'
import { type Traffic, trafficOf } from './simulate/traffic.ts'

const HELP = `
Usage: node src/main.ts simulate [options]

Plays WhatsApp: makes up conversations of people with a business, all types of messages, edits,
reactions, statuses, calls and notices, puts them into batches as Meta's Cloud API does, signs
them and posts them. Batches are sent again, overlap and change places, people hide their phone
numbers, and items come that no documentation mentions. The secret comes from META_APP_SECRET in
the environment or in .env.

Options:
  --count N          Events to make up; a few more, where the last message has statuses.
                     Default: 1000.
  --rate R           Requests a second. Default: as fast as answers come.
  --concurrency C    Requests on their way at once. Default: 8.
  --seed S           The same seed and options give the same bytes; letters and digits.
                     Default: another one each time.
  --batch N          Items a request, at most. Default: 10.
  --redeliveries P   Percent of the requests that come again, whole or in part. Default: 10.
  --reordered P      Percent that change places with a later one. Default: 10.
  --no-phone P       Percent of the people without a phone number. Default: 30.
  --odd P            Percent of the items of an odd shape or of an unknown field. Default: 3.
  --retry N          Tries after an answer that may change. Default: 10.
  --verify           At the end, read over the API what the service holds, and compare it item
                     for item. Reads with the first of API_KEYS or, without them, with the key
                     in the file api-key beside the database.
  --url URL          The service. Default: http://localhost:PORT, as configured.

Exit codes: 0 all was answered 200 and, with --verify, is held as it should be; 1 not so; 2 wrong
usage or configuration.
`

const OPTIONS = {
  count: { type: 'string' },
  rate: { type: 'string' },
  concurrency: { type: 'string' },
  seed: { type: 'string' },
  batch: { type: 'string' },
  redeliveries: { type: 'string' },
  reordered: { type: 'string' },
  'no-phone': { type: 'string' },
  odd: { type: 'string' },
  retry: { type: 'string' },
  verify: { type: 'boolean', default: false },
  url: { type: 'string' },
} as const

type Percentages = 'redeliveries' | 'reordered' | 'no-phone' | 'odd'
type Values = Partial<Record<Exclude<keyof typeof OPTIONS, 'verify'>, string>>

const SHOWN_FINDINGS = 20

/** Simulates traffic. */
export const simulateCommand: Command = {
  name: 'simulate',
  summary: "Play WhatsApp: made-up Cloud API webhooks, and check what's held.",
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, OPTIONS)
    const config = configuration()
    const [secret] = config.metaAppSecrets
    if (secret === undefined) {
      throw new ConfigurationError(
        'META_APP_SECRET is not set: set it in the environment or in .env, as for the service.',
      )
    }
    const url = serviceUrl(values.url, config)
    const { run, traffic } = made(values)
    const pace = paceFrom(values)
    const { allSent, isComplete } = await interruptible((stop) =>
      deliver(traffic, { ...pace, url, secret, stop }),
    )
    if (!values.verify) return isComplete ? ENDED : FAILED
    if (!allSent) {
      tell('Not everything was sent: what the service holds is not checked.')
      return FAILED
    }
    const held = await verify(new Api(url, config), run, traffic)
    return isComplete && held ? ENDED : FAILED
  },
}

function made(values: Values): { run: string; traffic: Traffic } {
  if (values.seed !== undefined && !/^[A-Za-z0-9]{1,40}$/.test(values.seed)) {
    throw new UsageError('--seed should have 1 to 40 letters and digits.')
  }
  const run = values.seed ?? randomBytes(6).toString('hex')
  const count = wholeNumber('count', values.count, 1e6) ?? 1000
  const traffic = trafficOf({
    run,
    count,
    startMs: values.seed === undefined ? secondsAgo(count) : SEEDED_START,
    batch: wholeNumber('batch', values.batch, 1000) ?? 10,
    redeliveries: share('redeliveries', values, 10),
    reordered: share('reordered', values, 10),
    noPhone: share('no-phone', values, 30),
    odd: share('odd', values, 3),
  })
  return { run, traffic }
}

/** So that the day, at an event a second, ends about now. */
function secondsAgo(seconds: number): number {
  return (Math.floor(Date.now() / 1000) - seconds) * 1000
}

function wholeNumber(name: string, text: string | undefined, most: number) {
  return numberOption(name, text, { least: 1, most, whole: true })
}

function share(name: Percentages, values: Values, fallback: number): number {
  const range = { least: 0, most: 100, whole: false }
  return (numberOption(name, values[name], range) ?? fallback) / 100
}

function paceFrom(values: Values): Pace {
  const retries = { least: 0, most: 1000, whole: true }
  return {
    rate: numberOption('rate', values.rate, RATES) ?? Infinity,
    concurrency: wholeNumber('concurrency', values.concurrency, 10_000) ?? 8,
    retries: numberOption('retry', values.retry, retries) ?? 10,
  }
}

async function verify(api: Api, run: string, { expectation }: Traffic): Promise<boolean> {
  let findings = 0
  const report = (finding: string) => {
    if (++findings <= SHOWN_FINDINGS) print(finding)
  }
  await checkHeld(api, { run, expectation, report })
  if (findings > SHOWN_FINDINGS) print(`… and ${grouped(findings - SHOWN_FINDINGS)} more.`)
  const { messages, marks, total } = expectation
  const statuses = grouped(expectation.allStatuses().size)
  print(
    findings === 0
      ? `The service holds all ${grouped(total)} events: ${grouped(messages.size)} messages, ${statuses} statuses, ${grouped(marks.size)} others.`
      : `${grouped(findings)} things are not as they should be.`,
  )
  return findings === 0
}
