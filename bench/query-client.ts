// Times GET requests, one after the other on one connection.
import { Connection } from './connection.ts'
import { getRequest } from './requests.ts'
import { READ_KEY } from './run-program.ts'

/** The fields of an answer that the measurements look at. */
type Page = {
  readonly data?: readonly unknown[]
  readonly total?: number
  readonly next_cursor?: string | null
}

export type TimedAnswer = { readonly ms: number; readonly page: Page }

const OK = 200

/** A reader with the benchmark's key. */
export class QueryClient {
  readonly #connection: Connection
  readonly #port: number

  private constructor(connection: Connection, port: number) {
    this.#connection = connection
    this.#port = port
  }

  static async open(port: number): Promise<QueryClient> {
    return new QueryClient(await Connection.open(port), port)
  }

  /** Rejects on any answer but 200: a measurement with one would be worth nothing. */
  get(path: string): Promise<TimedAnswer> {
    const request = getRequest(path, { port: this.#port, key: READ_KEY })
    return new Promise((resolve, reject) => {
      const start = performance.now()
      this.#connection.send(request, (status, body) => {
        const ms = performance.now() - start
        if (status === OK) resolve({ ms, page: JSON.parse(body.toString()) as Page })
        else reject(new Error(`GET ${path} was answered ${status}.`))
      })
    })
  }

  close(): void {
    this.#connection.close()
  }
}
