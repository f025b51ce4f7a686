// What every store must do, whatever the engine: one suite, run for each of them.
import { describe } from 'node:test'
import { anyOrderContract } from './any-order.ts'
import { batchingContract } from './batching.ts'
import { busyMessageContract } from './busy-messages.ts'
import { changesContract } from './changes.ts'
import { exactlyOnceContract } from './exactly-once.ts'
import { largeBatchContract } from './large-batches.ts'
import { largePageContract } from './large-pages.ts'
import { lifecycleContract } from './lifecycle.ts'
import { listContract } from './lists.ts'
import { mirrorContract } from './mirrors.ts'
import { peopleContract } from './people.ts'
import { rawBodyContract } from './raw-bodies.ts'
import { searchContract } from './searches.ts'
import { sequenceContract } from './sequence.ts'
import { statisticsContract } from './statistics.ts'
import type { NewPlace } from './store-place.ts'

/** Runs the suite for the engine that `newPlace` gives places of. */
export function messageStoreContract(engine: string, newPlace: NewPlace): void {
  describe(`the store on ${engine}`, () => {
    exactlyOnceContract(newPlace)
    listContract(newPlace)
    largePageContract(newPlace)
    largeBatchContract(newPlace)
    searchContract(newPlace)
    statisticsContract(newPlace)
    sequenceContract(newPlace)
    changesContract(newPlace)
    peopleContract(newPlace)
    batchingContract(newPlace)
    rawBodyContract(newPlace)
    busyMessageContract(newPlace)
    anyOrderContract(newPlace)
    mirrorContract(newPlace)
    lifecycleContract(newPlace)
  })
}
