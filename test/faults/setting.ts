// One database and the services that a fault test starts on it, sound or with a guard taken out.
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Service, startService } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SABOTAGED = fileURLToPath(new URL('./sabotaged-service.ts', import.meta.url))

export type Sabotage =
  | 'early answer'
  | 'ignored failure'
  | 'no unique index'
  | 'accepted overflow'
  | 'endless patience'

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
}

/** A new setting; its services end with the test at the latest. */
export function newSetting(
  test: TestContext,
  { sabotage, directory }: SettingOptions = {},
): Setting {
  const cwd = temporaryDirectory(test)
  const file = join(directory ?? cwd, 'messages.db')
  return {
    file,
    start: (environment = {}) =>
      startService(test, {
        cwd,
        ...(sabotage === undefined ? {} : { program: SABOTAGED }),
        environment: {
          WEBHOOK_SECRET: SECRET,
          READ_ACCESS: 'open',
          DATABASE_URL: `sqlite:///${file}`,
          ...(sabotage === undefined ? {} : { SABOTAGE: sabotage }),
          ...environment,
        },
      }),
  }
}

/** A seed for the run, printed so that the run can be repeated with SEED. */
export function seedOf(test: TestContext): number {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  test.diagnostic(`seed ${seed}`)
  return seed
}
