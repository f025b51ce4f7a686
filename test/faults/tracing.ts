// strace on a running service: makes its fsyncs fail, or do nothing.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { until } from '../support/until.ts'

/** Where Linux says who may attach to whom: 0 allows it to everybody for their own processes. */
const PTRACE_SCOPE = '/proc/sys/kernel/yama/ptrace_scope'

/** Why tests that need strace are skipped; false where they run. */
export const noTracing =
  works('strace', '-o', '/dev/null', 'true') && mayAttach()
    ? false
    : 'strace is missing or may not attach to a process here'

/** SQLite flushes with fsync, and what copies its log into the database with fdatasync. */
const CALLS = 'fsync,fdatasync'

export type Tracing = {
  /** Whether the fault really happened at least once. */
  injected(): boolean
  /** Resolves when strace has let the process go: a signal before that could be lost with it. */
  stop(): Promise<void>
}

/**
 * Injects into every fsync of a process, threads included, or into some `calls` of the kind:
 * `fault` as strace writes it, such as `error=EIO:when=2+`. Resolves once strace is attached; its
 * log goes to the file `log`.
 */
export async function injectIntoFsync(
  pid: number,
  fault: string,
  log: string,
  calls = CALLS,
): Promise<Tracing> {
  const inject = `inject=${calls}:${fault}`
  const args = ['-f', '-p', String(pid), '-o', log, '-e', `trace=${calls}`, '-e', inject]
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(tracer, 'close')
  let said = ''
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await until('strace is attached', () => said.includes('attached'))
  return {
    injected: () => existsSync(log) && readFileSync(log, 'utf8').includes('(INJECTED)'),
    stop: async () => {
      tracer.kill('SIGINT')
      await ended
    },
  }
}

function mayAttach(): boolean {
  if (process.getuid?.() === 0 || !existsSync(PTRACE_SCOPE)) return true
  return readFileSync(PTRACE_SCOPE, 'utf8').trim() === '0'
}

/** Whether a command runs and ends with 0. */
export function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
