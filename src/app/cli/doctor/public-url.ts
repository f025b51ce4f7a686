// The way that Meta's requests take, tried from this machine.
import { randomBytes } from 'node:crypto'
import type { Config } from '../../config.ts'
import { signBody } from '../../receive/verify.ts'
import { wordFor } from '../no-answer.ts'
import type { Findings } from './findings.ts'

const TIMEOUT_MS = 15_000
/** Every escape that a proxy could decode on the way; of no harm, and the same each time. */
const BODY = '{"object":"whatsapp_business_account","entry":[],"probe":"\\u00e4\\/ \\ud83d\\ude00"}'
const CLOCK_MS = 60_000

/** Tries the handshake, a signed POST and one that must be refused. */
export async function checkPublicUrl(url: URL, config: Config, findings: Findings): Promise<void> {
  const { metaVerifyToken, metaAppSecrets } = config
  if (url.protocol !== 'https:') {
    findings.doubtful('public URL', "is not https: Meta's dashboard takes no other.")
  }
  if (url.pathname === '/') url.pathname = '/webhook'
  const [secret] = metaAppSecrets
  try {
    await checkHandshake(url, metaVerifyToken, findings)
    if (secret !== undefined) await checkPosts(url, secret, findings)
  } catch (error) {
    findings.fault('way from outside', `${url.host} gave no answer (${wordFor(error)}).`)
  }
}

async function checkHandshake(url: URL, token: string, findings: Findings): Promise<void> {
  const challenge = randomBytes(8).toString('hex')
  const asked = new URL(url)
  asked.searchParams.set('hub.mode', 'subscribe')
  asked.searchParams.set('hub.verify_token', token)
  asked.searchParams.set('hub.challenge', challenge)
  const answer = await fetch(asked, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' })
  const text = await answer.text()
  if (answer.status === 200 && text === challenge) {
    findings.good('handshake from outside', 'the challenge came back.')
  } else {
    findings.fault(
      'handshake from outside',
      `was answered ${answer.status}, and not the challenge.`,
    )
  }
  const date = Date.parse(answer.headers.get('date') ?? '')
  if (Math.abs(date - Date.now()) > CLOCK_MS) {
    findings.doubtful('clock', "differs by more than a minute from the public address's.")
  }
}

async function checkPosts(url: URL, secret: string, findings: Findings): Promise<void> {
  const right = await post(url, signBody(secret, Buffer.from(BODY)))
  if (right === 200) findings.good('signed POST from outside', 'was accepted.')
  else if (right === 401) {
    findings.fault(
      'signed POST from outside',
      'was refused: something on the way changes bodies, or the service has another secret. See /rejections.',
    )
  } else findings.fault('signed POST from outside', `was answered ${right}.`)
  const wrong = await post(url, '0'.repeat(64))
  if (wrong === 401) findings.good('POST with a wrong signature', 'was refused.')
  else findings.fault('POST with a wrong signature', `was answered ${wrong} and not 401.`)
}

async function post(url: URL, signature: string): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    body: BODY,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await answer.arrayBuffer()
  return answer.status
}
