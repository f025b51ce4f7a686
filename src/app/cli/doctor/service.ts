// What the running service says of itself.
import type { Config } from '../../config.ts'
import { type Api, FOREIGN_ANSWER } from '../api.ts'
import type { Findings } from './findings.ts'

type ShownProvider = {
  readonly provider: string
  readonly configured: boolean
  readonly last_accepted_at: string | null
  readonly last_rejected_at: string | null
  readonly last_handshake_at: string | null
  readonly last_handshake_ok: boolean | null
}
/** Without `checks` where it has no time for that, as while it ends. */
type ShownReadiness = {
  readonly detail?: string
  readonly checks?: { readonly database: string; readonly webhook_secret: string }
}
type ShownRejection = {
  readonly received_at: string
  readonly provider: string
  readonly cause: string
  readonly advice: string
}
type ShownMessage = { readonly received_at: string; readonly ts: string }

/** What comes from further in the future than this says that a clock is wrong, in ms. */
const CLOCK_MS = 60_000

/** Asks it whether it is ready, what arrived last and what was refused. */
export async function checkService(api: Api, config: Config, findings: Findings): Promise<void> {
  try {
    checkReadiness(await api.get<ShownReadiness | null>('/health/ready', [200, 503]), findings)
  } catch (error) {
    findings.fault('service', (error as Error).message)
    return
  }
  try {
    const { data } = await api.get<{ data: ShownProvider[] }>('/providers')
    checkProviders(data, config, findings)
    await checkRejections(api, findings)
    await checkClock(api, findings)
  } catch (error) {
    findings.doubtful('what arrived', (error as Error).message)
  }
}

/** Throws where that is not told. */
function checkReadiness(answer: ShownReadiness | null, findings: Findings): void {
  const checks = answer?.checks
  if (typeof checks?.database !== 'string' || typeof checks.webhook_secret !== 'string') {
    throw new Error(answer?.detail ?? FOREIGN_ANSWER)
  }
  if (checks.webhook_secret !== 'ok') {
    findings.fault('service', 'runs without a secret, and takes nothing in.')
  }
  if (checks.database !== 'ok') {
    findings.fault(
      'service',
      'runs, and its database takes no messages now: its log says why, in the line "not ready".',
    )
  } else if (checks.webhook_secret === 'ok') {
    findings.good('service', 'runs and takes messages in.')
  }
}

function checkProviders(
  providers: readonly ShownProvider[],
  { metaAppSecrets, webhookSecrets }: Config,
  findings: Findings,
): void {
  const here: Readonly<Record<string, boolean>> = {
    'cloud-api': metaAppSecrets.length > 0,
    flat: webhookSecrets.length > 0,
  }
  if (providers.some(({ provider, configured }) => configured !== here[provider])) {
    findings.fault('service', 'runs with another configuration than this one: restart it.')
  }
  for (const each of providers.filter(({ configured }) => configured)) {
    if (each.provider === 'cloud-api') checkLastHandshake(each, findings)
    const { provider, last_accepted_at: accepted } = each
    const what = `delivery (${provider})`
    if (accepted === null) findings.doubtful(what, 'none accepted since the service started.')
    else findings.good(what, `the last one was accepted ${accepted}.`)
  }
}

function checkLastHandshake(meta: ShownProvider, findings: Findings): void {
  const { last_handshake_at: at, last_handshake_ok: ok } = meta
  if (at === null) {
    findings.doubtful('handshake', 'none since the service started: save the callback URL once.')
  } else if (ok) findings.good('handshake', `the last one, ${at}, succeeded.`)
  else findings.fault('handshake', `the last one, ${at}, had another verify token.`)
}

async function checkRejections(api: Api, findings: Findings): Promise<void> {
  const { data } = await api.get<{ data: ShownRejection[] }>('/rejections')
  const [last] = data
  if (last === undefined) {
    findings.good('refused requests', 'none are known.')
    return
  }
  const what = `the last of ${data.length}, ${last.received_at}, for ${last.provider}`
  findings.doubtful('refused requests', `${what}: ${last.cause}. ${last.advice}`)
}

/** Messages are never sent in the future: if one seems to be, this clock is behind. */
async function checkClock(api: Api, findings: Findings): Promise<void> {
  const { data } = await api.get<{ data: ShownMessage[] }>('/messages?order=desc&limit=1')
  const [newest] = data
  if (newest === undefined) {
    findings.unknown('clock', 'no message to compare it with.')
    return
  }
  const aheadMs = Date.parse(newest.ts) - Date.parse(newest.received_at)
  if (aheadMs > CLOCK_MS) {
    const seconds = Math.round(aheadMs / 1000)
    findings.doubtful('clock', `the newest message was sent ${seconds} s after it arrived.`)
  } else findings.good('clock', 'no message comes from the future.')
}
