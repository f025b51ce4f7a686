// What config-settings.ts lists, read once from the environment into one typed, frozen object. All
// problems are reported at once, by name, and never with a value.
import { SETTINGS, type Setting } from './config-settings.ts'
import { ConfigurationError } from './errors.ts'

type Settings = typeof SETTINGS
/** The configuration of one process. Durations are in ms, sizes in bytes. */
export type Config = {
  readonly [Name in keyof Settings]: Settings[Name] extends Setting<infer Value> ? Value : never
}

/** The configuration while it is being read: what has no usable value is undefined. */
type Draft = { -readonly [Name in keyof Config]?: Config[Name] | undefined }

/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the documentation says of each variable, in the order of the table. */
export const SETTING_DOCS: readonly { name: string; fallback: string; description: string }[] =
  Object.values(SETTINGS).map(({ name, fallback, description }) => ({
    name,
    fallback,
    description,
  }))

/**
 * Reads the configuration. A variable that is unset or empty takes its default. Throws
 * ConfigurationError with a line for each variable that has no usable value.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = []
  const config: Draft = {}
  for (const [key, { name, fallback, parse, expected }] of Object.entries(SETTINGS)) {
    const text = environment[name]?.trim() || fallback
    const value: unknown = parse(text)
    const wanted = typeof expected === 'string' ? expected : expected(text)
    if (value === undefined) problems.push(`${name} should be ${wanted}.`)
    Object.assign(config, { [key]: value })
  }
  const { queueMaxBytes, maxBodyBytes } = config
  if (queueMaxBytes !== undefined && maxBodyBytes !== undefined && queueMaxBytes < maxBodyBytes) {
    problems.push(
      'QUEUE_MAX_BYTES should be at least MAX_BODY_BYTES, or a large message would never be stored.',
    )
  }
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'))
  if (config.debug === true && !environment['LOG_LEVEL']?.trim()) config.logLevel = 'debug'
  return Object.freeze(config) as Config
}
