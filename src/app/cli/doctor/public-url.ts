// The way that requests take from outside, tried from this machine.
import { randomBytes } from 'node:crypto'
import type { Config } from '../../config.ts'
import type { ProviderName } from '../../model/event.ts'
import { BATCH_PROBE, FLAT_PROBE, FORGED_SIGNATURE, PROBE_CHALLENGE } from '../../receive/probe.ts'
import { signBody } from '../../receive/verify.ts'
import { wordFor } from '../no-answer.ts'
import type { Findings } from './findings.ts'

const TIMEOUT_MS = 15_000
const CLOCK_MS = 60_000
/** A path on which the flat format is refused. */
const ONLY_META = '/webhook/cloud-api'

/** A signed body that does no harm, and what a service answers that finds the signature right. */
type Probe = {
  readonly provider: ProviderName
  readonly body: string
  readonly header: string
  readonly prefix: string
  readonly status: number
  readonly finding: string
}

const BATCH: Probe = {
  provider: 'cloud-api',
  body: BATCH_PROBE,
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
  status: 200,
  finding: 'was accepted.',
}
const NO_MESSAGE: Probe = {
  provider: 'flat',
  body: FLAT_PROBE,
  header: 'x-signature',
  prefix: '',
  status: 422,
  finding: 'was read, and refused for what is in it, as it should be.',
}

/** Tries what is configured: the handshake; of each format a signed POST and one that must be refused. */
export async function checkPublicUrl(
  given: URL,
  config: Config,
  findings: Findings,
): Promise<void> {
  const url = withPath(given, findings)
  const [[appSecret], [flatSecret]] = [config.metaAppSecrets, config.webhookSecrets]
  if (appSecret === undefined && flatSecret === undefined) {
    return findings.unknown('way from outside', 'not tried: there is no secret to sign with.')
  }
  try {
    if (appSecret !== undefined) {
      if (url.protocol !== 'https:') {
        findings.doubtful('public URL', "is not https: Meta's dashboard takes no other.")
      }
      await checkHandshake(url, config.metaVerifyToken, findings)
      await checkPosts(url, { probe: BATCH, secret: appSecret }, findings)
    }
    if (flatSecret === undefined) return
    // Beside Meta's secret, this may be the address of Meta alone.
    if (appSecret !== undefined && url.pathname.endsWith(ONLY_META)) {
      const reason = `not tried: ${ONLY_META} takes Meta's webhooks only.`
      return findings.unknown('signed POST from outside (flat)', reason)
    }
    await checkPosts(url, { probe: NO_MESSAGE, secret: flatSecret }, findings)
  } catch (error) {
    findings.fault('way from outside', `${url.host} gave no answer (${wordFor(error)}).`)
  }
}

/** Where there is no path, the address that was meant: nothing is taken in at the root. */
function withPath(url: URL, findings: Findings): URL {
  if (url.pathname !== '/') return url
  const meant = new URL('/webhook', url)
  findings.fault('public URL', `has no path: enter ${meant}, which is tried here.`)
  return meant
}

async function checkHandshake(url: URL, token: string, findings: Findings): Promise<void> {
  const challenge = `${PROBE_CHALLENGE}${randomBytes(8).toString('hex')}`
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

async function checkPosts(
  url: URL,
  { probe, secret }: { probe: Probe; secret: string },
  findings: Findings,
): Promise<void> {
  const what = `signed POST from outside (${probe.provider})`
  const right = await postProbe(url, probe, signBody(secret, Buffer.from(probe.body)))
  if (right === 401) {
    return findings.fault(
      what,
      'was refused: something on the way changes bodies, or the service has another secret. See /rejections.',
    )
  }
  if (right !== probe.status) return findings.fault(what, `was answered ${right}.`)
  findings.good(what, probe.finding)
  const wrong = await postProbe(url, probe, FORGED_SIGNATURE)
  const forged = `POST with a wrong signature (${probe.provider})`
  if (wrong === 401) findings.good(forged, 'was refused.')
  else findings.fault(forged, `was answered ${wrong} and not 401.`)
}

async function postProbe(
  url: URL,
  { body, header, prefix }: Probe,
  signature: string,
): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [header]: `${prefix}${signature}` },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await answer.arrayBuffer()
  return answer.status
}
