// The command line as a user has it: a process of its own, in a directory of its own.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { SECRET } from './signed.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type CommandOptions = {
  /** The working directory, which has no .env unless the test writes one. */
  readonly cwd: string
  /** The whole environment beside PATH. Default: a secret. */
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
}

export type CommandResult = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type RunningCommand = {
  readonly child: ChildProcess
  readonly result: Promise<CommandResult>
}

/** Runs a command to its end. */
export function runCommand(
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return startCommand(args, options).result
}

/** Starts a command; what it wrote comes with its end. */
export function startCommand(args: readonly string[], options: CommandOptions): RunningCommand {
  const child = spawnMain(args, options, ['pipe', 'pipe', 'pipe'])
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  // A command that ends without reading its input is judged by its answer.
  child.stdin?.on('error', () => {}).end(options.input)
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...output }))
  })
  return { child, result }
}

/** The process itself, for tests that care how it is connected. */
export function spawnMain(
  args: readonly string[],
  { cwd, environment = { WEBHOOK_SECRET: SECRET } }: CommandOptions,
  stdio: SpawnOptions['stdio'],
): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...environment },
    stdio,
  })
}
