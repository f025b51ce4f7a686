// Starts one program in a directory of its own, waits until it is ready, and ends it again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import type { Program } from './programs.ts'

export const SECRET = 'a-secret-for-the-benchmark-of-40-bytes-.'
export const READ_KEY = 'a-key-for-the-benchmark'

export type Running = {
  readonly port: number
  readonly pid: number
  /** From the start of the process to its first 200 on /health/ready, in ms. */
  readonly readyMs: number
  /** Asks it to end and waits until it has. Idempotent. */
  stop(): Promise<void>
}

export type RunOptions = {
  /** Takes its output. */
  readonly directory: string
  /** The database file, or the URL of a database on a server. */
  readonly database: string
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const POLL_MS = 5

/** Starts a program as a user would: its own log level and format, its output into a file. */
export async function runProgram(program: Program, options: RunOptions): Promise<Running> {
  const { directory, database } = options
  const port = await freePort()
  const outputFile = join(directory, `${program.name}.log`)
  const output = openSync(outputFile, 'a')
  const start = performance.now()
  const child = spawn(program.command, program.args, {
    cwd: directory,
    stdio: ['ignore', output, output],
    env: {
      ...program.environment,
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: String(port),
      WEBHOOK_SECRET: SECRET,
      META_APP_SECRET: SECRET,
      API_KEYS: `benchmark:${READ_KEY}`,
      DATABASE_URL: database.includes('://') ? database : `sqlite:///${database}`,
    },
  })
  closeSync(output)
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  void once(child, 'exit').then(() => process.off('exit', endWithUs))
  try {
    await untilReady(child, port)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`${program.title} did not start:\n${readFileSync(outputFile, 'utf8')}`, {
      cause: error,
    })
  }
  const readyMs = performance.now() - start
  return { port, pid: child.pid ?? 0, readyMs, stop: () => stop(child) }
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!(await isReady(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('It has ended.')
    if (performance.now() > deadline) throw new Error('It is not ready.')
    await sleep(POLL_MS)
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health/ready', agent: false })
    request.once('response', (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.once('error', () => resolve(false))
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}
