// The command `doctor`: why does nothing arrive?
import type { Config } from '../config.ts'
import { Api } from './api.ts'
import { type Command, ENDED, FAILED, parseOptions, print, visible } from './command.ts'
import { checkDatabase } from './doctor/database.ts'
import { Findings } from './doctor/findings.ts'
import { checkPublicUrl } from './doctor/public-url.ts'
import { checkService } from './doctor/service.ts'
import { addressOption, configuration, serviceUrl } from './settings.ts'

const HELP = `
Usage: node src/main.ts doctor [--url URL] [--public-url URL]

Looks for what keeps webhooks from arriving: the configuration, the database, the service, what
it accepted and refused last and why, and, where a public address is given, the way from outside:
for each format that is configured, a signed POST and one with a wrong signature go through it from
this machine. Of the Cloud API the signed one is a batch without anything in it, which is stored
once as an event of kind "unknown", and the handshake is tried too. Of the flat format it is no
message, and stores nothing. None of these counts as something that arrived.

Options:
  --url URL          The service. Default: http://localhost:PORT, as configured.
  --public-url URL   The callback URL, as entered in Meta's dashboard, or the address that those
                     who send the flat format know; with its path, such as /webhook.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage or configuration.
`

const DASHBOARD = `
In Meta's dashboard, look whether
 - the callback URL and the verify token are those of this service, and were saved without an error;
 - the field "messages" is subscribed, below the callback URL;
 - the app is live and not in development: some webhooks are not sent before;
 - the app is subscribed to the WhatsApp Business Account (POST /<WABA-ID>/subscribed_apps);
 - no other callback URL is set for the account or for the number, which would come first;
 - META_APP_SECRET is the secret of this very app (app settings, basic).`

/** Looks for faults. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Find out why nothing arrives.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, {
      url: { type: 'string' },
      'public-url': { type: 'string' },
    })
    const config = configuration()
    const url = serviceUrl(values.url, config)
    const { 'public-url': text } = values
    const publicUrl = text === undefined ? null : addressOption('public-url', text)
    const findings = new Findings((line) => print(visible(line)))
    checkConfiguration(config, findings)
    await checkDatabase(config.databaseUrl, findings)
    await checkService(new Api(url, config), config, findings)
    if (publicUrl === null) {
      findings.unknown('way from outside', 'not tried; give --public-url.')
    } else {
      await checkPublicUrl(publicUrl, config, findings)
    }
    if (config.metaAppSecrets.length > 0) print(DASHBOARD)
    return findings.faults === 0 ? ENDED : FAILED
  },
}

function checkConfiguration(config: Config, findings: Findings): void {
  const { metaAppSecrets, metaVerifyToken, webhookSecrets } = config
  if (metaAppSecrets.length > 0) findings.good('META_APP_SECRET', 'is set.')
  else if (webhookSecrets.length > 0) {
    findings.doubtful('META_APP_SECRET', 'is not set: only the flat format is taken in.')
  } else {
    findings.fault('META_APP_SECRET', 'is not set, nor is WEBHOOK_SECRET: nothing is taken in.')
  }
  if (metaAppSecrets.some((secret) => !/^[0-9a-f]{32}$/.test(secret))) {
    findings.doubtful('META_APP_SECRET', 'does not look like one of Meta: 32 hex digits.')
  }
  if (metaVerifyToken !== '') findings.good('META_VERIFY_TOKEN', 'is set.')
  else if (metaAppSecrets.length > 0) {
    findings.fault('META_VERIFY_TOKEN', 'is not set: the callback URL cannot be confirmed.')
  }
  if (webhookSecrets.length > 0) findings.good('WEBHOOK_SECRET', 'is set.')
}
