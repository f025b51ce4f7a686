// Asks again where one answer may be late on a slow machine, which the product is right to say.
import { setTimeout as delay } from 'node:timers/promises'
import type { LightMyRequestResponse } from 'fastify'

const TRIES = 20
const PAUSE_MS = 100

type Answered = Pick<LightMyRequestResponse, 'statusCode' | 'body'>

/** Asks until an answer will do, or often enough; resolves with the last one, for the test to judge. */
export async function askUntil<Answer>(
  ask: () => Promise<Answer>,
  willDo: (answer: Answer) => boolean,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask()
    if (tries === TRIES || willDo(answer)) return answer
    await delay(PAUSE_MS)
  }
}

/** Asks `/health/ready` in the given way until the database has answered in its second. */
export function askReady<Answer extends Answered>(ask: () => Promise<Answer>): Promise<Answer> {
  return askUntil(
    ask,
    ({ statusCode, body }) => statusCode !== 503 || body.includes('"database":"ok"'),
  )
}
