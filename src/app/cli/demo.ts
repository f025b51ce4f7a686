// The command `demo`: something to look at, at once and without a trace.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, readConfig } from '../config.ts'
import { createLog } from '../log.ts'
import { type Service, startService } from '../service.ts'
import { type Command, ENDED, FAILED, numberOption, parseOptions, tell } from './command.ts'
import { readEnvironment } from './environment.ts'
import { RATES } from './send-many.ts'
import { onFirstSignal, SIGNALS_AND_HANGUP } from './signals.ts'
import { deliver } from './simulate/deliver.ts'
import { trafficOf } from './simulate/traffic.ts'

const HELP = `
Usage: node src/main.ts demo [--count N] [--rate R] [--exit]

Starts the service on a temporary database, open to this machine only, plays WhatsApp to it, and
says where to look. The database is removed at the end.

Options:
  --count N   Events to make up. Default: 20000.
  --rate R    Requests a second. Default: 5.
  --exit      End when all is sent, and not only when it is interrupted.

Listens on PORT (default 8000), or on a free port where that is taken.

Exit codes: 0 ended as asked, 1 failed, 2 wrong usage.
`

/** Shows the service at work. */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'Run the service on a temporary database, with simulated traffic.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, {
      count: { type: 'string' },
      rate: { type: 'string' },
      exit: { type: 'boolean', default: false },
    })
    const count =
      numberOption('count', values.count, { least: 1, most: 1e6, whole: true }) ?? 20_000
    const rate = numberOption('rate', values.rate, RATES) ?? 5
    // Before there is anything to remove.
    const interrupted = new Promise((resolve) => onFirstSignal(resolve, SIGNALS_AND_HANGUP))
    const directory = mkdtempSync(join(tmpdir(), 'whatsapp-webhook-demo-'))
    // Not only after a proper end: whoever is impatient leaves no messages behind either.
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    return await run({ directory, count, rate, exit: values.exit, interrupted })
  },
}

type Demo = {
  directory: string
  count: number
  rate: number
  exit: boolean
  interrupted: Promise<unknown>
}

async function run({ directory, count, rate, exit, interrupted }: Demo): Promise<number> {
  const secret = randomBytes(16).toString('hex')
  const stop = new AbortController()
  const stopped = interrupted.then(() => stop.abort())
  const { service, end } = await start(directory, secret)
  const url = new URL(`http://localhost:${service.address.port}`)
  tell(demoWelcome(url))
  const traffic = trafficOf({
    ...{ run: randomBytes(4).toString('hex'), count, startMs: Date.now() - count * 1000 },
    ...{ batch: 5, redeliveries: 0.1, reordered: 0.1, noPhone: 0.3, odd: 0.03 },
  })
  const pace = { rate, concurrency: 4, retries: 10 }
  const { isComplete } = await deliver(traffic, { ...pace, url, secret, stop: stop.signal })
  if (!exit) await stopped
  await service.close()
  await end()
  return isComplete || !exit ? ENDED : FAILED
}

async function start(directory: string, secret: string) {
  const { log, end } = createLog({ logLevel: 'warn', logFormat: 'text' })
  const config = (port: string): Config =>
    readConfig({
      HOST: '127.0.0.1',
      PORT: port,
      READ_ACCESS: 'local',
      DATABASE_URL: `sqlite:///${join(directory, 'demo.db')}`,
      META_APP_SECRET: secret,
      WEBHOOK_SECRET: randomBytes(32).toString('hex'),
    })
  const started = (port: string): Promise<Service> => startService(config(port), log)
  const { PORT } = readEnvironment(process.cwd(), process.env)
  const service = await started(PORT || '8000').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      return started('0')
    throw error
  })
  return { service, end }
}

function demoWelcome({ origin }: URL): string {
  return `
The demo listens on ${origin}, and people begin to write. Look at

  ${origin}/docs                 the whole API, to try it on
  ${origin}/messages?order=desc  the newest messages
  ${origin}/conversations        people by their newest message
  ${origin}/stats                everything, counted
  curl -N ${origin}/events/stream

Ctrl-C ends it, and removes its database.
`
}
