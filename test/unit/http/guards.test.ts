import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import { endsWaiting } from '../../../src/app/http/guards.ts'
import { StreamHub } from '../../../src/app/stream/hub.ts'
import { until } from '../../support/until.ts'

test('whoever waits for a commit is let go when the server closes, before it waits for its requests', async () => {
  const hub = new StreamHub({
    eventsAfter: async ({ after }) => ({ entries: [], next: after, more: false, last: after }),
    addressesOf: async () => [],
    onError: assert.ifError,
    onRead: () => {},
    onLost: assert.ifError,
  })
  const app = fastify()
  const isClosing = endsWaiting(app, hub)
  const { promise: answer, resolve: letAnswer } = Promise.withResolvers<string>()
  let isAsked = false
  app.get('/', { config: { access: 'public' } }, (_request, reply) => {
    isAsked = true
    reply.header('connection', 'close')
    return answer
  })
  const request = fetch(await app.listen({ host: '127.0.0.1', port: 0 }))
  await until('a request is in flight', () => isAsked)
  assert.equal(isClosing(), false)
  const closed = app.close()
  const takesNobody = () => {
    const leave = hub.join({ filter: {}, take: () => true, lose: () => {} }, 0)
    leave?.()
    return leave === null
  }
  await until('the hub takes nobody any more', takesNobody).finally(() => letAnswer('late'))
  assert.equal(isClosing(), true)
  assert.equal((await request).status, 200)
  await closed
})
