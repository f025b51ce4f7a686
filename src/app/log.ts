// The log: one JSON object a line on stdout, or lines for people.
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.ts'
import { isOfTheStore } from './errors.ts'
import { within } from './within.ts'

export type Log = Logger

/** Lines are gathered and written together; this is the longest that one waits, in ms. */
const FLUSH_MS = 100
const BUFFER_BYTES = 32 * 1024

/** What nobody has read yet may take this much memory, in bytes; lines beyond it are lost. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024
/** How long the end of the process waits for its last lines to be read, in ms. */
const END_MS = 500

/** A log, and the end of it: writes out what it has gathered, and nothing afterwards. */
export type LogOutput = { readonly log: Log; readonly end: () => Promise<void> }

/**
 * The log of the process on stdout. A reader that goes away or stops reading holds nothing up, nor
 * does a full disk: what can't be written waits for room, or is lost.
 */
export function createLog({
  logLevel,
  logFormat,
}: Pick<Config, 'logLevel' | 'logFormat'>): LogOutput {
  if (logFormat === 'text') {
    const stream = pretty({ timestampKey: 'ts', translateTime: 'SYS:HH:MM:ss.l', sync: true })
    return { log: createLogTo(stream, logLevel), end: async () => {} }
  }
  const stream = destination({
    dest: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    maxWrite: 2 * BUFFER_BYTES,
    maxLength: MAX_UNREAD_BYTES,
    periodicFlush: FLUSH_MS,
  })
  stream.on('error', () => {})
  // Pino calls it behind a fatal line and at the exit, and it tries for ever: the process would hang.
  stream.flushSync = () => {}
  const end = async () => {
    await within(END_MS, new Promise((written) => stream.flush(written)), undefined)
    stream.destroy()
  }
  return { log: createLogTo(stream, logLevel), end }
}

/** A log that writes its lines to `stream`. */
export function createLogTo(stream: DestinationStream, level: Config['logLevel']): Log {
  return pino(
    {
      level,
      base: null,
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    stream,
  )
}

// Many lines fall into one millisecond, and formatting it costs more than the rest of a line.
let formattedMs = 0
let formatted = ''
function timestamp(): string {
  const nowMs = Date.now()
  if (nowMs !== formattedMs) {
    formattedMs = nowMs
    formatted = `,"ts":"${new Date(nowMs).toISOString()}"`
  }
  return formatted
}

/**
 * An error's kind and place. Its own message may quote what somebody sent, so it stays out, but for
 * those of the store: they are sentences of ours.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error ? { code: error.code } : {}
  const reason = isOfTheStore(error) ? { reason: error.message } : {}
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) }
  return { type: error.name, ...code, ...reason, stack: placesIn(error), ...cause }
}

/** From behind the message on: a line of that may look like a place. */
function placesIn({ message, stack = '' }: Error): string[] {
  const head = stack.indexOf(message)
  const lines = head === -1 ? [] : stack.slice(head + message.length).split('\n')
  return lines.filter((line) => line.startsWith('    at ')).map((line) => line.trim())
}
