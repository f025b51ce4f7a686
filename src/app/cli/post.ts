// One message to a webhook, as a good sender does it: what may succeed later is sent again, with
// the same bytes, after the time the service asked for. That is safe: a message is stored once.
import { setTimeout as wait } from 'node:timers/promises'
import { signBody } from '../receive/verify.ts'
import { wordFor } from './no-answer.ts'

const ANSWER_TIMEOUT_MS = 30_000
const LONGEST_WAIT_MS = 60_000
const FIRST_BACKOFF_MS = 1000

export type Target = {
  readonly url: URL
  readonly secret: string
  /** Where the signature goes: the flat format's header without it, else Meta's. */
  readonly header?: 'x-hub-signature-256'
  /** How often a message is sent again after an answer that may change. */
  readonly retries: number
  /** Ends waiting for another try; what is on its way still gets its answer. */
  readonly stop: AbortSignal
  readonly onRetry: (answer: Answer, waitMs: number) => void
}

/** The last answer to a message. */
export type Answer = {
  /** The status, or a word for why there was none, such as ECONNREFUSED. */
  readonly code: number | string
  readonly body: string
  /** From the last try's start to its whole answer. */
  readonly ms: number
  readonly retryAfterMs: number | null
}

/** Sends `body` until an answer is final or the retries are used up. */
export async function post(body: string, target: Target): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await postOnce(body, target)
    if (!mayChange(answer) || tries >= target.retries || target.stop.aborted) return answer
    const waitMs = Math.min(LONGEST_WAIT_MS, answer.retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** tries)
    target.onRetry(answer, waitMs)
    await wait(waitMs, undefined, { signal: target.stop }).catch(() => {})
    if (target.stop.aborted) return answer
  }
}

/** Whether the same message may be answered differently later. */
function mayChange({ code }: Answer): boolean {
  return typeof code === 'string' || code >= 500 || code === 429 || code === 408
}

async function postOnce(body: string, { url, secret, header }: Target): Promise<Answer> {
  const start = performance.now()
  const elapsed = () => performance.now() - start
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...signatureOf(body, secret, header),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    })
    // Read to its end, or the connection could not be used again.
    const text = await response.text()
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
    return { code: response.status, body: text, ms: elapsed(), retryAfterMs }
  } catch (error) {
    return { code: wordFor(error), body: '', ms: elapsed(), retryAfterMs: null }
  }
}

function signatureOf(body: string, secret: string, header: Target['header']) {
  const signature = signBody(secret, Buffer.from(body))
  return header === undefined ? { 'x-signature': signature } : { [header]: `sha256=${signature}` }
}

/** Seconds or a date, in ms from now; null for none. */
function parseRetryAfter(header: string | null): number | null {
  if (header === null) return null
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
