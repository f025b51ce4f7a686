// The real service, with the secret of the tests, and read by everybody.
import { type Scope, type Service, startService } from './service.ts'
import { SECRET } from './signed.ts'

type OpenOptions = {
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts it on a free port; it is killed at the end of `scope` at the latest. */
export function startOpenService(
  scope: Scope,
  { cwd, environment }: OpenOptions,
): Promise<Service> {
  const defaults = { WEBHOOK_SECRET: SECRET, READ_ACCESS: 'open' }
  return startService(scope, { cwd, environment: { ...defaults, ...environment } })
}
