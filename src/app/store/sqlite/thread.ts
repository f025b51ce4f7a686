// Calls across threads: a client on the main thread, a server in the worker. Errors of the store and of
// the configuration keep their type on the way, others are plain ones; a worker that dies fails every
// call that waits for it, and every later one.
import { type MessagePort, parentPort, type Transferable, Worker } from 'node:worker_threads'
import { ConfigurationError, StoreFailedError, StoreUnavailableError } from '../../errors.ts'
import { openingError, storeError } from './faults.ts'

type Methods = Record<string, (argument: never) => unknown>
type Request = { readonly id: number; readonly method: string; readonly argument: unknown }
type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ThreadError }
type ThreadError = { readonly name: string; readonly message: string; readonly stack: string }
type Waiting = {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The caller's side of a worker that serves the methods `Served`. */
export class ThreadClient<Served extends Methods> {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 0
  #gone: StoreFailedError | null = null

  /** Resolves with the reason when the worker ends; never rejects. */
  readonly ended: Promise<StoreFailedError>

  constructor(module: URL) {
    this.#worker = new Worker(module, { resourceLimits: { maxYoungGenerationSizeMb: 8 } })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.ended = new Promise((resolve) => {
      const end = (error: StoreFailedError) => {
        this.#gone ??= error
        for (const { reject } of this.#waiting.values()) reject(this.#gone)
        this.#waiting.clear()
        resolve(this.#gone)
      }
      this.#worker.once('error', (error: unknown) => end(deathOf(error)))
      this.#worker.once('exit', () => end(new StoreFailedError('The thread has ended.')))
    })
  }

  /** Calls waiting for their answer. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Runs a method in the worker; what is in `transfer` is moved there and not copied. */
  call<Name extends keyof Served & string>(
    method: Name,
    argument: Parameters<Served[Name]>[0],
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<Served[Name]>>> {
    if (this.#gone !== null) return Promise.reject(this.#gone)
    const id = this.#nextId++
    const request: Request = { id, method, argument }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      this.#worker.postMessage(request, transfer)
    })
  }

  /** Lets the worker serve what waits, close what it holds and end. Idempotent. */
  async close(): Promise<void> {
    if (this.#gone === null) this.#worker.postMessage({ id: -1, method: 'close', argument: null })
    await this.ended
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.ok) waiting?.resolve(reply.value)
    else waiting?.reject(errorOf(reply.error))
  }
}

/**
 * Serves `methods` to the thread that started this worker, one call after the other. The method
 * `close` ends the worker after its answer.
 */
export function serveThread(methods: Methods): void {
  const port = requirePort()
  port.on('message', ({ id, method, argument }: Request) => {
    port.postMessage(replyTo(methods, id, method, argument))
    if (method === 'close') port.close()
  })
}

function replyTo(methods: Methods, id: number, method: string, argument: unknown): Reply {
  try {
    const value = methods[method]?.(argument as never)
    return { id, ok: true, value }
  } catch (error) {
    const typed = method === 'open' ? openingError(error) : storeError(error)
    return { id, ok: false, error: errorFacts(typed) }
  }
}

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('This module runs in a worker thread.')
  return parentPort
}

function errorFacts(error: unknown): ThreadError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  return { name, message, stack: stack ?? '' }
}

/**
 * Whatever a thread dies of, no caller's argument is to blame: nobody is left to answer any. The words
 * of a fault that nobody foresaw may quote what was to be stored.
 */
function deathOf(error: unknown): StoreFailedError {
  const { name, message } = errorFacts(error)
  const known =
    name === 'StoreFailedError' ? message : `A thread of the store has failed (${name}).`
  return new StoreFailedError(known, { cause: error })
}

function errorOf({ name, message, stack }: ThreadError): Error {
  const error = withType(name, message)
  error.stack = stack
  return error
}

function withType(name: string, message: string): Error {
  if (name === 'StoreFailedError') return new StoreFailedError(message)
  if (name === 'StoreUnavailableError') return new StoreUnavailableError(message)
  return name === 'ConfigurationError' ? new ConfigurationError(message) : new Error(message)
}
