// The service's own API, as the command line reads it.
import { generatedKey } from '../api-key.ts'
import type { Config } from '../config.ts'
import { wordFor } from './no-answer.ts'

const ANSWER_TIMEOUT_MS = 60_000

/** What another program does that is asked as the service would be; without who. */
export const FOREIGN_ANSWER = 'gave an answer that is none of this service.'

/** Reads JSON from the service at one address. */
export class Api {
  readonly #base: URL
  readonly #headers: Record<string, string>

  /** With the first of the configured keys, or else the one that the service generated. */
  constructor(base: URL, config: Pick<Config, 'apiKeys' | 'databaseUrl'>) {
    this.#base = base
    const key = config.apiKeys[0]?.key ?? generatedKey(config)
    this.#headers = key === null ? {} : { authorization: `Bearer ${key}` }
  }

  /** The answer to GET `path`. Throws with a sentence where there is none, or none with such a status. */
  async get<Answer>(path: string, statuses: readonly number[] = [200]): Promise<Answer> {
    const url = new URL(path, this.#base)
    const response = await fetch(url, {
      headers: this.#headers,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new Error(`${url.host} gave no answer (${wordFor(error)}).`)
    })
    const text = await response.text()
    if (response.status === 401) {
      throw new Error(
        'Reading needs a key: set API_KEYS as for the service, or run this where the file api-key beside its database can be read.',
      )
    }
    if (!statuses.includes(response.status)) {
      throw new Error(`${url.pathname} was answered ${response.status}.`)
    }
    try {
      return JSON.parse(text) as Answer
    } catch {
      throw new Error(`${url.host} ${FOREIGN_ANSWER}`)
    }
  }
}
