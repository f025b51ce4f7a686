// The real service as a process on a free port.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { spawnMain } from './run-command.ts'
import { SECRET } from './signed.ts'

export type RunningService = {
  /** Such as http://127.0.0.1:34567. */
  readonly url: string
  /** Ends it with a signal and resolves with its exit code. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

type Scope = { after(work: () => Promise<void>): void }
type ServiceOptions = {
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a service that everybody may read; it is stopped after the test at the latest. */
export async function startService(
  scope: Scope,
  { cwd, environment }: ServiceOptions,
): Promise<RunningService> {
  const defaults = { WEBHOOK_SECRET: SECRET, HOST: '127.0.0.1', PORT: '0', READ_ACCESS: 'open' }
  const child = spawnMain(['serve'], { cwd, environment: { ...defaults, ...environment } }, [
    'ignore',
    'pipe',
    'inherit',
  ])
  const ended = once(child, 'exit') as Promise<[number | null]>
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    const [code] = await ended
    return code
  }
  scope.after(async () => void (await stop('SIGKILL')))
  if (child.stdout === null) throw new Error('The service has no stdout.')
  const lines = createInterface({ input: child.stdout })
  const port = await new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => {
      const { msg, port } = JSON.parse(line) as { msg?: string; port?: number }
      if (msg === 'listening' && port !== undefined) resolve(port)
    })
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}.`)))
  })
  return { url: `http://127.0.0.1:${port}`, stop }
}
