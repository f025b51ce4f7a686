// strace on a running service: makes its fsyncs and writes fail, or do nothing.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { until } from '../support/until.ts'

/** Where Linux says who may attach to whom: 0 allows it to everybody for their own processes. */
const PTRACE_SCOPE = '/proc/sys/kernel/yama/ptrace_scope'

/** Why tests that need strace are skipped; false where they run. */
export const noTracing =
  works('strace', '-o', '/dev/null', 'true') && mayAttach()
    ? false
    : 'strace is missing or may not attach to a process here'

/** SQLite flushes with fsync, and what copies its log into the database with fdatasync. */
const FLUSHES = 'fsync,fdatasync'
/** The numbers that the system has for these calls. */
const FLUSH_NUMBERS = process.arch === 'arm64' ? ['82', '83'] : ['74', '75']
/** How SQLite writes to its files and changes their lengths. */
const WRITES = 'pwrite64,ftruncate'

export type Tracing = {
  /** Whether the fault really happened at least once. */
  injected(): boolean
  /** Resolves when strace has let the process go: a signal before that could be lost with it. */
  stop(): Promise<void>
}

/**
 * Injects into every fsync of a process, threads included, or into some `calls` of the kind:
 * `fault` as strace writes it, such as `error=EIO:when=2+`, where each thread counts its own calls.
 * Resolves once strace is attached; its log goes to the file `log`.
 */
export function injectIntoFsync(
  pid: number,
  fault: string,
  log: string,
  calls = FLUSHES,
): Promise<Tracing> {
  return inject(pid, { calls, fault, log })
}

/** The same for what a process writes to one file. */
export function injectIntoWrites(
  pid: number,
  { file, fault, log }: { file: string; fault: string; log: string },
): Promise<Tracing> {
  return inject(pid, { calls: WRITES, fault, log, only: ['-P', file] })
}

type Injection = {
  readonly calls: string
  readonly fault: string
  readonly log: string
  /** More of strace's options, which choose among the calls. */
  readonly only?: readonly string[]
}

async function inject(pid: number, { calls, fault, log, only = [] }: Injection): Promise<Tracing> {
  const what = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`, ...only]
  const args = ['-f', '-p', String(pid), '-o', log, ...what]
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

/** Whether a thread of a process is in a flush now; strace's log has one that is held up only later. */
export function isFlushing(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).some((thread) => {
    try {
      const [call = ''] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').split(' ')
      return FLUSH_NUMBERS.includes(call)
    } catch {
      // It has ended meanwhile.
      return false
    }
  })
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
