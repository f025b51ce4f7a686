// What `verify` finds in a database, with the parsers it uses.
import { flat } from '../../src/app/receive/flat.ts'
import { cloudApi } from '../../src/app/receive/meta.ts'
import type { DatabaseUrl } from '../../src/app/store/database-url.ts'
import { verifyStore } from '../../src/app/store/verify.ts'

const PROVIDERS = { flat: flat([]), 'cloud-api': cloudApi([]) }

/** Each thing that disagrees, in a sentence. */
export async function findingsIn(url: DatabaseUrl): Promise<readonly string[]> {
  const findings: string[] = []
  await verifyStore(url, {
    quick: false,
    parse: (provider, ...body) => PROVIDERS[provider].parse(...body),
    report: (finding) => findings.push(finding),
    onProgress: () => {},
  })
  return findings
}
