// The commands of docs/deployment.md that back up and restore, run on directories that stand for the
// container's volume and for the state directory of systemd.
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fillDatabase } from '../support/filled-database.ts'
import { startOpenService } from '../support/open-service.ts'
import { runCommand } from '../support/run-command.ts'
import { post } from '../support/service.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { commandsWith, shell } from './guide.ts'
import { ROOT } from './repository.ts'

const MONTH_AGO = new Date(Date.now() - 30 * 86_400_000)
/** Only root may give a file away; for anybody else it stays his own. */
const owner =
  process.getuid?.() === 0
    ? { uid: 1000, gid: 1000 }
    : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

type Place = {
  /** The directory of the database; it and what is in it belong to `owner`. */
  readonly data: string
  /** Where the backups come to lie. */
  readonly backups: string
  /** A directory of programs in front of all others: `date` says what is in the file "day". */
  readonly programs: string
  readonly database: string
}

/** A place with a database of one message. */
async function newPlace(t: TestContext): Promise<Place> {
  const root = temporaryDirectory(t)
  chmodSync(root, 0o755)
  const place = (name: string) => join(root, name)
  for (const name of ['data', 'backups', 'programs']) mkdirSync(place(name), { mode: 0o700 })
  const date = place('programs/date')
  writeFileSync(date, `#!/bin/sh\ncat ${place('day')}\n`)
  chmodSync(date, 0o755)
  const database = place('data/messages.db')
  await fillDatabase(database, [flatBody({ message_id: 'first' })])
  giveAway(place('data'))
  return { data: place('data'), backups: place('backups'), programs: place('programs'), database }
}

function giveAway(directory: string): void {
  for (const name of ['.', ...readdirSync(directory)]) {
    chownSync(join(directory, name), owner.uid, owner.gid)
  }
}

/** Stores a message more and is killed, so that its log and its index lie beside the database. */
async function storeAnother(t: TestContext, { data, database }: Place): Promise<void> {
  const environment = { DATABASE_URL: `sqlite:///${database}` }
  const service = await startOpenService(t, { cwd: data, environment })
  const body = toBytes(flatBody({ message_id: 'second' }))
  assert.equal((await post(service, body, signature(body))).status, 200)
  await service.stop('SIGKILL')
  assert.ok(existsSync(`${database}-wal`))
  giveAway(data)
}

/** What `docker compose` does, without a container: `/data` is a directory. */
function nightlyOfDocker({ data, backups, programs, database }: Place, day: string) {
  const script = commandsWith('trap ')
    .replaceAll('docker compose exec -T webhook ', '')
    .replaceAll('docker compose cp webhook:', 'cp -p ')
    .replaceAll('/data/', `${data}/`)
    .replaceAll('src/main.ts', join(ROOT, 'src/main.ts'))
  writeFileSync(join(programs, '../day'), day)
  const environment = { DATABASE_URL: `sqlite:///${database}` }
  return shell(script, { cwd: backups, programs, environment })
}

function nightlyOfSystemd({ backups, programs, database }: Place, day: string) {
  const settings = join(programs, 'service.env')
  writeFileSync(settings, `DATABASE_URL=sqlite:///${database}\n`)
  const script = commandsWith('mkdir -p /var/backups')
    .replaceAll('/var/backups/whatsapp-webhook-service', backups)
    .replaceAll('/etc/whatsapp-webhook-service.env', settings)
    .replaceAll('/opt/whatsapp-webhook-service', ROOT)
  writeFileSync(join(programs, '../day'), day)
  return shell(script, { cwd: backups, programs })
}

const NIGHTLY = [
  {
    where: 'docker compose',
    nightly: nightlyOfDocker,
    nameOf: (day: string) => `backup-${day}.db`,
  },
  { where: 'systemd', nightly: nightlyOfSystemd, nameOf: (day: string) => `${day}.db` },
] as const

for (const { where, nightly, nameOf } of NIGHTLY) {
  describe(`the nightly backup with ${where}`, () => {
    test('makes a file each night, and deletes those of more than two weeks', async (t) => {
      const place = await newPlace(t)
      const old = join(place.backups, nameOf('2026-10-27'))
      writeFileSync(old, '')
      utimesSync(old, MONTH_AGO, MONTH_AGO)
      for (const day of ['2026-11-26', '2026-11-27']) {
        const { code, stderr } = await nightly(place, day)
        assert.equal(code, 0, stderr)
      }
      const names = ['2026-11-26', '2026-11-27'].map(nameOf)
      assert.deepEqual(readdirSync(place.backups).sort(), names)
      for (const name of names) await assertHoldsFirst(join(place.backups, name))
      const left = readdirSync(place.data).filter((name) => !name.startsWith('messages'))
      assert.deepEqual(left, [], 'no copy takes room beside the database')
    })

    test('deletes none where it fails', async (t) => {
      const place = await newPlace(t)
      const old = join(place.backups, nameOf('2026-10-27'))
      writeFileSync(old, '')
      utimesSync(old, MONTH_AGO, MONTH_AGO)
      writeFileSync(place.database, 'no database')
      assert.notEqual((await nightly(place, '2026-11-26')).code, 0)
      assert.ok(existsSync(old))
    })
  })
}

test('the nightly backup with docker compose leaves no part of a copy behind where it can not be taken out', async (t) => {
  const place = await newPlace(t)
  const failing = join(place.programs, 'cp')
  writeFileSync(failing, '#!/bin/sh\necho part > "$3"\nexit 1\n')
  chmodSync(failing, 0o755)
  assert.notEqual((await nightlyOfDocker(place, '2026-11-26')).code, 0)
  assert.ok(!existsSync(join(place.backups, 'backup-2026-11-26.db')), 'nothing that looks like one')
  const left = readdirSync(place.data).filter((name) => !name.startsWith('messages'))
  assert.deepEqual(left, [], 'no copy takes room beside the database')
})

describe('the commands that restore a backup', () => {
  const assertRestored = async ({ data, database }: Place) => {
    assert.deepEqual(readdirSync(data), ['messages.db'])
    const { uid, gid, mode } = statSync(database)
    assert.deepEqual({ uid, gid, mode: mode & 0o777 }, { ...owner, mode: 0o600 })
    await assertHoldsFirst(database)
  }

  test('with docker compose leave the file to the user of the image, and nothing beside it', async (t) => {
    const place = await newPlace(t)
    await nightlyOfDocker(place, '2026-11-26')
    await storeAnother(t, place)
    const commands = commandsWith('docker compose run --rm -T webhook sh')
    const [, program = '', name = ''] = / sh -euc '(.*)' < (\S+)$/ms.exec(commands) ?? []
    const input = readFileSync(join(place.backups, name))
    const script = `set -e\n${program.replaceAll('/data/', `${place.data}/`)}`
    const { code, stderr } = await shell(script, { cwd: place.data, user: owner, input })
    assert.equal(code, 0, stderr)
    await assertRestored(place)
  })

  test('with systemd leave the file to the user of the service, and nothing beside it', async (t) => {
    const place = await newPlace(t)
    await nightlyOfSystemd(place, '2026-11-26')
    await storeAnother(t, place)
    const script = commandsWith('chown --reference')
      .replaceAll(/^systemctl .*$/gm, '')
      .replaceAll('/var/backups/whatsapp-webhook-service', place.backups)
      .replaceAll('/var/lib/whatsapp-webhook-service', place.data)
    const { code, stderr } = await shell(script, { cwd: place.backups })
    assert.equal(code, 0, stderr)
    await assertRestored(place)
  })
})

/** That a database has the message of the backup, that one alone, and no fault. */
async function assertHoldsFirst(file: string): Promise<void> {
  const args = ['verify', '--database', `sqlite:///${file}`]
  const { stdout } = await runCommand(args, { cwd: dirname(file) })
  assert.match(stdout, /^1 message of 1 sender, .*: everything agrees\.$/m)
}
