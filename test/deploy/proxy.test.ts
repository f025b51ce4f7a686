// The proxy of the compose file in front of two real replicas on a real PostgreSQL.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newDatabase } from '../support/databases.ts'
import { freePort } from '../support/postgres-server.ts'
import { post, startService } from '../support/service.ts'
import { flatBody, SECRET, signature, toBytes } from '../support/signed.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from '../support/until.ts'
import { readRepositoryFile } from './repository.ts'

const hasProxy = spawnSync('haproxy', ['-v']).error === undefined

test('the proxy shares requests among the replicas, passes streams on, and loses none while one restarts', {
  skip: hasProxy ? false : 'haproxy is not installed',
}, async (t) => {
  const cwd = temporaryDirectory(t)
  const environment = {
    WEBHOOK_SECRET: SECRET,
    READ_ACCESS: 'open',
    DATABASE_URL: await newDatabase(),
  }
  const [a, b] = await Promise.all([
    startService(t, { cwd, environment }),
    startService(t, { cwd, environment }),
  ])
  assert.ok(a && b)
  const port = await freePort()
  const config = join(cwd, 'haproxy.cfg')
  writeFileSync(
    config,
    readRepositoryFile('deploy/haproxy/haproxy.cfg')
      .replace('bind :8000', `bind 127.0.0.1:${port}`)
      .replace('replica-a:8000', `127.0.0.1:${a.port}`)
      .replace('replica-b:8000', `127.0.0.1:${b.port}`)
      .replace('inter 2s', 'inter 100ms'),
  )
  const proxy = spawn('haproxy', ['-db', '-f', config], { stdio: 'ignore' })
  t.after(() => void proxy.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until('the proxy answers', isReady)
  const stream = new AbortController()
  t.after(() => stream.abort())
  let streamed = ''
  const read = async () => {
    const { body } = await fetch(`${url}/events/stream?after=0`, { signal: stream.signal })
    for await (const chunk of body ?? []) streamed += Buffer.from(chunk as Uint8Array).toString()
  }
  void read().catch(() => {})
  const send = async (id: string) => {
    const body = toBytes(flatBody({ message_id: id }))
    return (await post({ url }, body, signature(body))).status
  }
  let sent = 0
  await until('both replicas have stored something', async () => {
    const some = Array.from({ length: 8 }, () => send(`both-${sent++}`))
    assert.deepEqual(new Set(await Promise.all(some)), new Set([200]))
    return [a, b].every(({ log }) => log.some(({ result }) => result === 'created'))
  })
  await a.stop()
  await sleep(500)
  for (let i = 0; i < 20; i++) assert.equal(await send(`one-${i}`), 200)
  // A stream through the replica that ended was cut, and a reader would come again.
  if (!streamed.includes('one-19')) void read().catch(() => {})
  await until('all is streamed', () => streamed.includes('both-0') && streamed.includes('one-19'))
})
