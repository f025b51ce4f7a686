// What every store must do, whatever the engine: one suite, run for each of them.
import { describe } from 'node:test'
import { anyOrderContract } from './any-order.ts'
import { eventContract } from './events.ts'
import { exactlyOnceContract } from './exactly-once.ts'
import { largeBatchContract } from './large-batches.ts'
import { largePageContract } from './large-pages.ts'
import { lifecycleContract } from './lifecycle.ts'
import { listContract } from './lists.ts'
import { mirrorContract } from './mirrors.ts'
import { searchContract } from './searches.ts'
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
    eventContract(newPlace)
    anyOrderContract(newPlace)
    mirrorContract(newPlace)
    lifecycleContract(newPlace)
  })
}
