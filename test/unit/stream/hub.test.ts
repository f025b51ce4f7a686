import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StreamHub } from '../../../src/app/stream/hub.ts'
import { until } from '../../support/until.ts'

test('a sequence that ends before what its followers have seen loses them: they have to learn of it', async () => {
  const hub = new StreamHub({
    eventsAfter: async ({ after }) => ({ entries: [], next: after, last: 41 }),
    onError: assert.ifError,
  })
  let [kept, lost] = [0, 0]
  const follower = (onLost: () => void) => ({ filter: {}, take: () => true, lose: onLost })
  hub.join(
    follower(() => lost++),
    42,
  )
  await until('it is lost', () => lost === 1)
  hub.join(
    follower(() => kept++),
    41,
  )
  hub.wake()
  await hub.changed(50)
  await hub.changed(50)
  hub.close()
  assert.deepEqual({ kept, lost }, { kept: 0, lost: 1 })
})
