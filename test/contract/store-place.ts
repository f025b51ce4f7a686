// Where a store of the contract suite keeps its data: what an engine has to provide for its tests.
import assert from 'node:assert/strict'
import { after, before, type SuiteContext, type TestContext } from 'node:test'
import type { MessageStore } from '../../src/app/store/store.ts'

export type StorePlace = {
  /** Opens what is in this place; empty the first time. May be called while it is open. */
  open(): Promise<MessageStore>
  /** Whether what was stored is there again after closing and opening. */
  readonly persistent: boolean
  /** Removes it for good. Not called when a test failed, so that it can be looked at. */
  remove(): Promise<void>
}

export type NewPlace = () => Promise<StorePlace>

/** One store for all tests of a `describe`, opened before them and closed after them. */
export function useStore(newPlace: NewPlace): () => MessageStore {
  let place: StorePlace | undefined
  let store: MessageStore | undefined
  before(async () => {
    place = await newPlace()
    store = await place.open()
  })
  after(async (suite) => {
    await store?.close()
    if ((suite as SuiteContext).passed) await place?.remove()
  })
  return () => {
    assert.ok(store)
    return store
  }
}

/** A place for one test, and stores in it that are closed after it. */
export async function usePlace(test: TestContext, newPlace: NewPlace) {
  const place = await newPlace()
  const opened: MessageStore[] = []
  test.after(async () => {
    await Promise.all(opened.map((store) => store.close()))
    if (test.passed) await place.remove()
  })
  const open = async () => {
    const store = await place.open()
    opened.push(store)
    return store
  }
  return { open, persistent: place.persistent }
}
