// A standby of a server, made by copying its files while it runs.
// https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { PostgresServer } from './postgres-server.ts'
import { handOver, privateDirectory } from './unprivileged.ts'
import { until } from './until.ts'

/** Settings of a server that a standby follows. */
export const PRIMARY_SETTINGS = ['wal_level=replica', 'max_wal_senders=4', 'wal_keep_size=256MB']

/** Starts a standby named `standby` that follows `primary` over this port. */
export async function startStandby(primary: PostgresServer, port: number): Promise<PostgresServer> {
  const directory = privateDirectory()
  const client = new Client({ connectionString: primary.url('postgres') })
  await client.connect()
  await client.query("select pg_backup_start('standby', true)")
  copyMeanwhile(primary.directory, directory)
  const { rows } = await client.query('select labelfile from pg_backup_stop()')
  await client.end()
  for (const [name, text] of [
    ['backup_label', String(rows[0]?.labelfile)],
    ['standby.signal', ''],
  ] as const) {
    writeFileSync(join(directory, name), text)
    handOver(join(directory, name))
  }
  rmSync(join(directory, 'postmaster.pid'))
  const standby = await PostgresServer.at(directory, {
    settings: [
      ...PRIMARY_SETTINGS,
      `primary_conninfo=host=127.0.0.1 port=${port} user=postgres application_name=standby`,
    ],
  })
  await standby.start()
  return standby
}

/** From now on a commit waits for the standby named `standby`, which need not be there. */
export async function requireStandby(primary: PostgresServer): Promise<void> {
  await primary.query("alter system set synchronous_standby_names = 'standby'")
  await primary.query('select pg_reload_conf()')
  await until('sessions know that they have to wait', async () => {
    const [row] = await primary.query<{ synchronous_standby_names: string }>(
      'show synchronous_standby_names',
    )
    return row?.synchronous_standby_names === 'standby'
  })
  // They do once the checkpointer has read the setting as well.
  await primary.query('checkpoint')
}

/** Copies files that a server uses. Those that vanish meanwhile are none that a backup needs. */
function copyMeanwhile(from: string, to: string): void {
  const env = { ...process.env, LC_ALL: 'C' }
  const { status, stderr } = spawnSync('cp', ['--archive', `${from}/.`, to], {
    env,
    encoding: 'utf8',
  })
  if (status === 0) return
  const complaints = stderr.trimEnd().split('\n')
  const haveVanished = complaints.every((line) => line.endsWith(': No such file or directory'))
  if (status !== 1 || !haveVanished) throw new Error(`cp ended with ${status}: ${stderr}`)
}
