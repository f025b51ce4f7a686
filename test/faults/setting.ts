// One database and the services that a fault test starts on it, sound or with a guard taken out.
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../support/engines.ts'
import {
  type LaunchOptions,
  launch,
  type Process,
  type Service,
  startService,
} from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { anomalies } from './checker.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import type { Sent } from './sender.ts'

const SABOTAGED = fileURLToPath(new URL('./sabotaged-service.ts', import.meta.url))

export type Sabotage =
  | 'early answer'
  | 'ignored failure'
  | 'no unique index'
  | 'accepted overflow'
  | 'endless patience'
  | 'no connection limit'
  | 'talkative log'
  | 'no catching up'
  | 'no pool limit'
  | 'boundless readers'

/** What the same fault is tried on, whatever the engine. */
export type EngineSetting = {
  /** Its database, for DATABASE_URL. */
  readonly url: string
  /** Starts one more service on its database. */
  start(environment?: Readonly<Record<string, string>>): Promise<Service>
  /** The same without waiting for what becomes of it. */
  launch(): Process
  /** Holds up whoever wants to store something, until the result is called. */
  holdWriter(): Promise<() => Promise<void>>
  /** Everything in the database that contradicts the promises; see checker.ts. */
  anomalies(sent: ReadonlyMap<string, Sent>): Promise<string[]>
}

export type Setting = {
  /** The database file. */
  readonly file: string
  /** Starts one more service on it. */
  start(environment?: Readonly<Record<string, string>>): Promise<Service>
}

type SettingOptions = {
  readonly sabotage?: Sabotage
  /** Where the database lies. Default: a directory of its own. */
  readonly directory?: string
  /** A command that runs each service; see LaunchOptions. */
  readonly via?: readonly string[]
}

/** A new setting; its services end with the test at the latest. */
export function newSetting(
  test: TestContext,
  { sabotage, directory, via = [] }: SettingOptions = {},
): Setting {
  const cwd = temporaryDirectory(test)
  const file = join(directory ?? cwd, 'messages.db')
  return {
    file,
    start: (environment = {}) => {
      const database = { DATABASE_URL: `sqlite:///${file}` }
      const options = optionsFor(cwd, sabotage, { ...database, ...environment })
      return startService(test, { ...options, via })
    },
  }
}

/** A seed for the run, printed so that the run can be repeated with SEED. */
export function seedOf(test: TestContext): number {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  test.diagnostic(`seed ${seed}`)
  return seed
}

/** A number from 0 to below 1, the same for the same seed and trial. */
export function chanceOf(seed: number, trial: number): number {
  return (Math.imul(seed + trial * 7919, 0x9e3779b1) >>> 0) / 2 ** 32
}

/** A new setting on an engine; its services end with the test at the latest. */
export async function newSettingOn(
  engine: Engine,
  test: TestContext,
  sabotage?: Sabotage,
): Promise<EngineSetting> {
  const cwd = temporaryDirectory(test)
  const { url, holdWriter } = await engine.newDatabase(cwd)
  return {
    url,
    start: (environment = {}) =>
      startOn(test, cwd, sabotage, { DATABASE_URL: url, ...environment }),
    launch: () => launch(test, optionsFor(cwd, sabotage, { DATABASE_URL: url })),
    holdWriter,
    anomalies: async (sent) =>
      url.startsWith('sqlite')
        ? anomalies(url.slice('sqlite:///'.length), sent)
        : await postgresAnomalies(url, sent),
  }
}

/** Services on a PostgreSQL database that is there; they end with the test at the latest. */
export function newSettingFor(url: string, test: TestContext, sabotage?: Sabotage) {
  const cwd = temporaryDirectory(test)
  return {
    start: (environment: Readonly<Record<string, string>> = {}) =>
      startOn(test, cwd, sabotage, { DATABASE_URL: url, ...environment }),
    /** The same without waiting for what becomes of it. */
    launch: () => launch(test, optionsFor(cwd, sabotage, { DATABASE_URL: url })),
  }
}

function startOn(
  test: TestContext,
  cwd: string,
  sabotage: Sabotage | undefined,
  environment: Readonly<Record<string, string>>,
): Promise<Service> {
  return startService(test, optionsFor(cwd, sabotage, environment))
}

function optionsFor(
  cwd: string,
  sabotage: Sabotage | undefined,
  environment: Readonly<Record<string, string>>,
): LaunchOptions {
  return {
    cwd,
    ...(sabotage === undefined ? {} : { program: SABOTAGED }),
    environment: {
      WEBHOOK_SECRET: SECRET,
      READ_ACCESS: 'open',
      ...(sabotage === undefined ? {} : { SABOTAGE: sabotage }),
      ...environment,
    },
  }
}
