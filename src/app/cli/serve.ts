// The command `serve`: one process of the service, from its configuration to its exit code.
import { type Config, type Environment, readConfig } from '../config.ts'
import { createLog, type Log } from '../log.ts'
import { type Service, startService } from '../service.ts'
import { databasePlace } from '../store/place.ts'
import { within } from '../within.ts'
import { ENDED, FAILED, tell } from './command.ts'
import { fillEmptySecret } from './empty-secret.ts'
import { readEnvFile, readEnvironment, writeFirstEnvironment } from './environment.ts'
import { listenFault } from './listen-fault.ts'
import { onFirstSignal } from './signals.ts'
import { startWarnings } from './start-warnings.ts'
import { welcome } from './welcome.ts'

/** What an answer to a request in flight may still take after the store failed, in ms. */
const FAILURE_GRACE_MS = 2000
/** So long, in ms, a start may go on that a signal met near its end: it is then closed in good order. */
const START_GRACE_MS = 1000

/** Runs the service until a signal or a failure, and ends the process. Throws when it can't start. */
export async function serve({ init }: { init: boolean }): Promise<never> {
  // Files of the database, their logs and keys are for this user alone.
  process.umask(0o077)
  if (init) await provideSecret()
  const environment = readEnvironment(process.cwd(), process.env)
  const config = readConfig(init ? withLocalReads(environment) : environment)
  const warnings = startWarnings({ config, environment, envFile: readEnvFile(process.cwd()) })
  const { log, end } = createLog(config)
  endOnBug(log, end)
  const ended = new Promise<NodeJS.Signals>((resolve) => onFirstSignal(resolve))
  const service = await startUnlessEnded(ended, config, log)
  const code = service === null ? ENDED : await run(service, { init, ended, config, log, warnings })
  await end()
  // What still hangs must not keep the process: a thread in a system call after a failure, a
  // connection whose other end is gone.
  process.exit(code)
}

async function provideSecret(): Promise<void> {
  const written = writeFirstEnvironment(process.cwd(), process.env)
  if (written !== null) return tell(`Wrote ${written} with a random WEBHOOK_SECRET.`)
  const filled = await fillEmptySecret(process.cwd(), process.env)
  if (filled !== null) tell(`Put a random WEBHOOK_SECRET into ${filled}, where it was empty.`)
}

/** A fault nobody foresaw leaves the process in an unknown state: it says so and ends. */
function endOnBug(log: Log, end: () => Promise<void>): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unexpected failure; ending')
    void end().finally(() => process.exit(FAILED))
  })
}

function withLocalReads(environment: Environment): Environment {
  return environment['READ_ACCESS'] ? environment : { ...environment, READ_ACCESS: 'local' }
}

/**
 * The service, once it listens; null where a signal came first and nothing listens yet. Whatever the
 * start waits for then, such as another replica that migrates, nothing is in flight.
 */
async function startUnlessEnded(
  ended: Promise<NodeJS.Signals>,
  config: Config,
  log: Log,
): Promise<Service | null> {
  const starting = start(config, log)
  const first = await Promise.race([starting, ended])
  if (typeof first !== 'string') return first
  const graceMs = Math.min(START_GRACE_MS, config.shutdownTimeoutMs)
  const service = await within(graceMs, starting, null)
  if (service === null) log.info({ signal: first }, 'stopped before it listened')
  return service
}

async function start(config: Config, log: Log): Promise<Service> {
  try {
    return await startService(config, log)
  } catch (error) {
    throw listenFault(error as NodeJS.ErrnoException, config) ?? error
  }
}

type Run = {
  readonly init: boolean
  readonly ended: Promise<NodeJS.Signals>
  readonly config: Config
  readonly log: Log
  readonly warnings: readonly string[]
}

/** Until the first signal or a failure of the store; then closes, and answers with the exit code. */
async function run(service: Service, { init, ended, config, log, warnings }: Run): Promise<number> {
  const { address, port } = service.address
  const { databaseUrl, readAccess } = config
  const database = databasePlace(databaseUrl)
  log.info({ address, port, database, read_access: readAccess }, 'listening')
  for (const warning of warnings) log.warn(warning)
  if (init) tell(welcome(config, service.address))
  const cause = await Promise.race([ended, service.failed])
  const failed = typeof cause !== 'string'
  if (failed) {
    log.fatal(
      { reason: cause.reason },
      'the database failed; ending, so that the next start recovers what was committed',
    )
  } else {
    log.info({ signal: cause }, 'shutting down')
  }
  const limitMs = failed ? FAILURE_GRACE_MS : config.shutdownTimeoutMs
  const closing = service.close().then(() => true)
  const inTime = await within(limitMs, closing, false)
  if (!inTime) log.error({ limit_ms: limitMs }, 'requests were still open when time was up')
  if (failed || !inTime) return FAILED
  log.info('stopped')
  return ENDED
}
