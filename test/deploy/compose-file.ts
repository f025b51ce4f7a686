// docker-compose.yml, parsed.
import { parse } from 'yaml'
import { readRepositoryFile } from './repository.ts'

type Service = {
  readonly build?: string
  readonly image: string
  readonly profiles?: readonly string[]
  readonly user?: string
  readonly ports?: readonly string[]
  readonly networks?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly read_only: boolean
  readonly tmpfs?: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly ulimits?: { readonly core: number }
  readonly restart: string
  readonly stop_grace_period: string
  readonly healthcheck: Readonly<Record<string, unknown>> & { readonly test?: readonly string[] }
}

export const composeText = readRepositoryFile('docker-compose.yml')

/** The file with its merges done, and with the variables that Compose fills in still in it. */
export const compose = parse(composeText, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>
  readonly volumes: Readonly<Record<string, unknown>>
}
