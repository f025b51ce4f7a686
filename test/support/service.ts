// The real service as a process of its own, with everything it writes.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LogEntry } from './captured-log.ts'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A test's context, or the hooks of its file: `{ after }`. */
export type Scope = { after(work: () => Promise<void>): void }

export type LaunchOptions = {
  /** The working directory, where .env and data/ are looked for. */
  readonly cwd: string
  /** All variables the process sees, beside PATH. Default: a free port of 127.0.0.1. */
  readonly environment?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Another program than the service. */
  readonly program?: string
  /** A command that becomes the process: its arguments come after those that are here. */
  readonly via?: readonly string[]
}

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

/** A process that was started, whatever becomes of it. */
export class Process {
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #child: ReturnType<typeof spawn>

  constructor({
    cwd,
    environment = {},
    args = ['serve'],
    program = MAIN,
    via = [],
  }: LaunchOptions) {
    const env = { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...environment }
    const [command = process.execPath, ...rest] = [...via, process.execPath]
    this.#child = spawn(command, [...rest, program, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  /** The lines on stdout as JSON; throws when one is none. */
  get log(): readonly LogEntry[] {
    const lines = this.stdout.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as LogEntry)
  }

  /** Waits for a line with this message. */
  async logged(msg: string): Promise<void> {
    await until(`"${msg}" is logged`, () => this.log.some((entry) => entry['msg'] === msg))
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('The process did not start.')
    return pid
  }

  /** What it writes to stdout from now on meets a closed pipe. */
  closeStdout(): void {
    this.#child.stdout?.destroy()
  }

  /** The same for stderr. */
  closeStderr(): void {
    this.#child.stderr?.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(signal)
    return this.ended
  }
}

export type Service = Process & { readonly port: number; readonly url: string }

/** Starts a process that is killed at the end of `scope` at the latest. */
export function launch(scope: Scope, options: LaunchOptions): Process {
  const launched = new Process(options)
  scope.after(async () => void (await launched.stop('SIGKILL')))
  return launched
}

/** Starts the service and waits until it listens. Rejects, with what it said, when it ends before. */
export async function startService(scope: Scope, options: LaunchOptions): Promise<Service> {
  const launched = launch(scope, options)
  const port = await portOf(launched)
  if (port === null) throw new Error(`The service ended: ${launched.stderr}${launched.stdout}`)
  return Object.assign(launched, { port, url: `http://127.0.0.1:${port}` })
}

/** Starts the service where it should end by itself. Rejects when it listens instead. */
export async function refusedStart(
  scope: Scope,
  options: LaunchOptions,
): Promise<Ended & Pick<Process, 'stdout' | 'stderr'>> {
  const launched = launch(scope, options)
  if ((await portOf(launched)) !== null) throw new Error(`It listens: ${launched.stdout}`)
  return { ...(await launched.ended), stdout: launched.stdout, stderr: launched.stderr }
}

/** Waits until a process listens, and on which port; null when it ends before. */
async function portOf(launched: Process): Promise<number | null> {
  let ended = false
  void launched.ended.then(() => {
    ended = true
  })
  const port = () => /\bport"?: ?(\d+)[\s\S]*\n/.exec(launched.stdout)?.[1]
  await until('the service listens', () => ended || port() !== undefined)
  return ended ? null : Number(port())
}

/** Sends a body with its signature. */
export async function post(
  { url }: Pick<Service, 'url'>,
  body: Uint8Array,
  signature: string,
): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-signature': signature }
  return fetch(`${url}/webhook`, { method: 'POST', headers, body: Buffer.from(body) })
}

/** What a service answers when it is asked whether it can take messages in. */
export async function readinessOf({ url }: Pick<Service, 'url'>): Promise<number> {
  return (await fetch(`${url}/health/ready`)).status
}

export async function isReady(service: Pick<Service, 'url'>): Promise<boolean> {
  return (await readinessOf(service)) === 200
}

/** Waits for that: the first connection to PostgreSQL, or one after a fault, may take more than one try. */
export function untilReady(service: Pick<Service, 'url'>): Promise<void> {
  return until('the service is ready', () => isReady(service))
}
