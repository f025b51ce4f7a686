// Services whose every commit takes long, so that what overruns them is a load that one process can
// send, with most of the machine left to the service.
import type { TestContext } from 'node:test'
import type { Service } from '../support/service.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { anomalies } from './checker.ts'
import { postgresAnomalies } from './postgres-checker.ts'
import { startServer } from './postgres-faults.ts'
import type { Sent } from './sender.ts'
import { newSetting, newSettingFor } from './setting.ts'
import { noTracing } from './tracing.ts'

export type SlowSetting = {
  start(environment: Readonly<Record<string, string>>): Promise<Service>
  /** Everything in the database that contradicts the promises; see checker.ts. */
  anomalies(sent: ReadonlyMap<string, Sent>): Promise<string[]>
}

export type SlowEngine = {
  readonly name: string
  /** Why it can't be had here; false where it can. */
  readonly skip: string | false
  /** A new database each of whose commits takes at least so many ms. */
  newSetting(test: TestContext, commitMs: number): Promise<SlowSetting>
}

/** On a disk that is slow to flush. Only the thread that flushes is stopped (--seccomp-bpf). */
const sqlite: SlowEngine = {
  name: 'SQLite',
  skip: noTracing,
  newSetting: async (test, commitMs) => {
    const calls = 'fsync,fdatasync'
    const strace = ['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null']
    const inject = `inject=${calls}:delay_exit=${commitMs * 1000}`
    const via = [...strace, '-e', `trace=${calls}`, '-e', inject]
    const setting = newSetting(test, { directory: temporaryDirectory(test), via })
    return {
      start: (environment) => setting.start(environment),
      anomalies: async (sent) => anomalies(setting.file, sent),
    }
  },
}

/** On a server that is far away. */
const postgresql: SlowEngine = {
  name: 'PostgreSQL',
  skip: false,
  newSetting: async (test, commitMs) => {
    const server = await startServer(test)
    const url = await server.newDatabase()
    const link = await TcpProxy.start(test, server.port)
    const setting = newSettingFor(link.urlFor(url), test)
    return {
      start: (environment) => {
        link.slowDown(commitMs)
        return setting.start(environment)
      },
      anomalies: (sent) => postgresAnomalies(url, sent),
    }
  },
}

export const SLOW_ENGINES: readonly SlowEngine[] = [sqlite, postgresql]
