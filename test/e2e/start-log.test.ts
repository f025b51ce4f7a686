// What the log of a start says of a configuration that is not what its author believes.
import assert from 'node:assert/strict'
import { realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startService } from '../support/service.ts'
import { SECRET } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

test('a start says where the data goes, who may read it, and what of .env has no effect', async (t) => {
  const cwd = realpathSync(temporaryDirectory(t))
  const lines = [
    `WEBHOOK_SECRET=${SECRET}`,
    'READ_ACESS=open',
    'POSTGRES_PASSWORD=canary',
    'OTHER=canary',
    'LOG_FORMAT',
  ]
  writeFileSync(join(cwd, '.env'), lines.join('\n'))
  const environment = { OF_ANOTHER_PROGRAM: 'canary', META_APP_SECRET: `"canary ${SECRET}"` }
  const service = await startService(t, { cwd, environment })
  await service.logged('META_VERIFY_TOKEN is not set: Meta can not confirm the callback URL')
  const [listening] = service.log.filter(({ msg }) => msg === 'listening')
  assert.deepEqual(listening?.['database'], {
    engine: 'sqlite',
    file: join(cwd, 'data/messages.db'),
  })
  assert.equal(listening?.['read_access'], 'keys')
  const warnings = service.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg)
  assert.deepEqual(warnings, [
    'line 5 of .env has no "=" and sets nothing',
    'OTHER is no setting of this service and has no effect',
    'READ_ACESS is no setting of this service and has no effect: is READ_ACCESS meant?',
    'META_APP_SECRET begins and ends with a quote, which counts as a part of it: outside of .env, write it without',
    'META_VERIFY_TOKEN is not set: Meta can not confirm the callback URL',
  ])
  assert.doesNotMatch(service.stdout, /canary/)
})
