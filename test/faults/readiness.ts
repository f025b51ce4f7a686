// Looks at the readiness of a service whose machine may stand still meanwhile.
import { isReady, type Service } from '../support/service.ts'

const LOOKS = 10

/**
 * Whether a service says that it is ready, in one look of ten: it gives its database a second for each,
 * which passes as well where the machine stands still. One that is wrong for good is so in all.
 */
export async function isFoundReady(service: Pick<Service, 'url'>): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) if (await isReady(service)) return true
  return false
}
