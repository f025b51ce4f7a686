import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { askUntil } from '../support/ask-until.ts'
import { openServer, type TestServer } from '../support/http-server.ts'
import { lastAnswer } from '../support/raw-http.ts'
import { CANARY, flatBody } from '../support/signed.ts'

/** Values by series, as exposed. */
async function metricsOf(server: TestServer): Promise<Map<string, number>> {
  const { body, statusCode } = await server.get('/metrics')
  assert.equal(statusCode, 200)
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), numberIn(line)]))
}

/** The same once the database has told its size, for which it has a second. */
function metricsWithSize(server: TestServer): Promise<Map<string, number>> {
  return askUntil(
    () => metricsOf(server),
    (metrics) => metrics.has('database_size_bytes'),
  )
}

function numberIn(line: string): number {
  const number = Number(line.slice(line.lastIndexOf(' ') + 1))
  assert.ok(!Number.isNaN(number) || line.endsWith(' Nan'), line)
  return number
}

test('the exposition is text that Prometheus reads', async (t) => {
  const server = await openServer(t)
  const answer = await server.get('/metrics')
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  for (const line of answer.body.split('\n').filter((text) => text !== '')) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"\n]*",?)+\})? \S+)$/)
  }
})

test('all metrics of the contract are there from the start, the results with zero', async (t) => {
  const server = await openServer(t)
  await server.get('/stats')
  const metrics = await metricsWithSize(server)
  const names = new Set([...metrics.keys()].map((series) => series.split('{')[0]))
  for (const name of [
    'http_requests_total',
    'http_request_duration_seconds_bucket',
    'http_request_duration_seconds_count',
    'webhook_requests_total',
    'webhook_conflicts_total',
    'write_queue_requests',
    'write_queue_bytes',
    'commit_batch_size_count',
    'commit_seconds_count',
    'database_size_bytes',
    'build_info',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_seconds',
  ]) {
    assert.ok(names.has(name), name)
  }
  const results = ['created', 'duplicate', 'invalid_signature', 'validation_error', 'rejected']
  for (const result of results) {
    assert.equal(metrics.get(`webhook_requests_total{result="${result}"}`), 0)
  }
})

test('requests are counted by method, the pattern of their route, and status', async (t) => {
  const server = await openServer(t)
  const body = flatBody()
  await server.post(body)
  await server.get('/messages?limit=1')
  await server.get('/messages?limit=0')
  await server.get(`/messages/${body.message_id}`)
  await server.get('/messages/another')
  await server.get('/nowhere')
  await server.app.inject({ method: 'DELETE', url: '/messages' })
  await server.app.inject({ method: 'HEAD', url: '/health/live' })
  const metrics = await metricsOf(server)
  for (const labels of [
    'method="POST",path="/webhook",status="200"',
    'method="GET",path="/messages",status="200"',
    'method="GET",path="/messages",status="422"',
    'method="GET",path="/messages/{message_id}",status="200"',
    'method="GET",path="/messages/{message_id}",status="404"',
    'method="GET",path="unmatched",status="404"',
    'method="DELETE",path="/messages",status="405"',
    'method="HEAD",path="/health/live",status="200"',
  ]) {
    assert.equal(metrics.get(`http_requests_total{${labels}}`), 1, labels)
  }
  const webhook = '{method="POST",path="/webhook"}'
  assert.equal(metrics.get(`http_request_duration_seconds_count${webhook}`), 1)
})

test('a path that can not be decoded is counted as one that matches no route', async (t) => {
  const server = await openServer(t)
  const port = await server.listen()
  for (const path of ['/messages/%zz', '/%zz']) {
    await lastAnswer(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  }
  const metrics = await metricsOf(server)
  assert.equal(metrics.get('http_requests_total{method="GET",path="unmatched",status="400"}'), 2)
})

test('a thousand random paths, methods, ids, hosts and types add a few series and no more', async (t) => {
  const server = await openServer(t)
  const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/)
  const request = fc.record({
    method: fc.constantFrom(
      'GET',
      'POST',
      'PUT',
      'DELETE',
      'PROPFIND',
      'SEARCH',
      'LINK',
      'M-SEARCH',
    ),
    url: fc.oneof(
      word.map((name) => `/${name}`),
      word.map((id) => `/messages/${id}`),
      word.map((name) => `/docs/${name}?${name}=1`),
    ),
    headers: fc.record({ host: word, 'user-agent': word, 'x-request-id': word, accept: word }),
  })
  // One of each kind first, so that what follows differs in nothing but its random parts.
  for (const url of ['/x', '/messages/x', '/docs/x']) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND']) {
      await server.app.inject({ method: method as 'GET', url })
    }
  }
  // Those of Node itself come with its work, as the first collection of garbage does.
  const countSeries = async () =>
    [...(await metricsOf(server)).keys()].filter((name) => !name.startsWith('nodejs_')).length
  const before = await countSeries()
  for (const { method, url, headers } of fc.sample(request, 1000)) {
    await server.app.inject({ method: method as 'GET', url, headers })
  }
  const added = (await countSeries()) - before
  // The request for the metrics itself was the first of its kind.
  assert.ok(added <= 20, `${added} series more`)
})

test('no series tells a number, an id or a text', async (t) => {
  const server = await openServer(t)
  const body = flatBody({ message_id: 'canary-id-of-a-message' })
  await server.post(body)
  await server.get(`/messages/${body.message_id}`)
  await server.get(`/messages?from=${encodeURIComponent(CANARY.from)}&q=${CANARY.text}`)
  const { body: exposed } = await server.get('/metrics')
  for (const canary of [...Object.values(CANARY), CANARY.from.slice(1), body.message_id]) {
    assert.equal(exposed.includes(canary), false, canary)
  }
})

test('the queue is shown as it is, and the database has a size', async (t) => {
  const gate = Promise.withResolvers<void>()
  const server = await openServer(t, {
    store: (real) => ({
      insert: async (batch) => {
        await gate.promise
        return real.insert(batch)
      },
    }),
  })
  const waiting = [server.post('x'), server.post(flatBody()), server.post(flatBody())]
  while (server.queue.items < 2) await new Promise((resolve) => setImmediate(resolve))
  const full = await metricsWithSize(server)
  assert.equal(full.get('write_queue_requests'), 2)
  assert.equal(full.get('write_queue_bytes'), server.queue.bytes)
  assert.ok((full.get('database_size_bytes') ?? 0) > 0)
  gate.resolve()
  await Promise.all(waiting)
  const empty = await metricsOf(server)
  assert.equal(empty.get('write_queue_requests'), 0)
  assert.equal(empty.get('write_queue_bytes'), 0)
})

test('without an answer of the database everything but its size is told', async (t) => {
  const sizes = {
    refused: () => Promise.reject(new Error('Not just now.')),
    missing: () => new Promise<number>(() => {}),
  }
  for (const sizeBytes of Object.values(sizes)) {
    const server = await openServer(t, { store: () => ({ sizeBytes }) })
    const metrics = await metricsOf(server)
    assert.equal(metrics.get('database_size_bytes'), undefined)
    assert.equal(metrics.get('write_queue_requests'), 0)
  }
})

test('the build is named as configured', async (t) => {
  const server = await openServer(t, {
    environment: { APP_NAME: 'Front door', APP_VERSION: '9.8' },
  })
  const labels = `name="Front door",version="9.8",node="${process.version}"`
  assert.equal((await metricsOf(server)).get(`build_info{${labels}}`), 1)
})
