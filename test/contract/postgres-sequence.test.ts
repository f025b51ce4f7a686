// Who follows the sequence passes over nothing that commits late.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { MessageStore } from '../../src/app/store/store.ts'
import { type AMessage, aMessage, intakeOf } from '../support/a-message.ts'
import { newDatabase } from '../support/databases.ts'
import { connectFor, ingest, openStoreFor } from '../support/postgres-stores.ts'

const WRITERS = 6
const TRANSACTIONS = 12

/** Follows the sequence from its beginning, a few entries at a time. */
class Follower {
  readonly seen: string[] = []
  readonly seqs: number[] = []
  readonly #store: MessageStore
  #position = 0

  constructor(store: MessageStore) {
    this.#store = store
  }

  async readOn(): Promise<void> {
    let read = 0
    do {
      const page = await this.#store.eventsAfter({ filter: {}, after: this.#position, limit: 7 })
      for (const entry of page.entries) {
        if (entry.kind !== 'message') continue
        this.seen.push(entry.message.messageId)
        this.seqs.push(entry.message.seq)
      }
      this.#position = page.next
      read = page.entries.length
    } while (read > 0)
  }
}

/** Each writer's messages are from somebody else: who stores a new person makes others wait. */
function messageFrom(writer: number, messageId?: string): AMessage {
  return aMessage({ from: `+1415555010${writer}`, ...(messageId ? { messageId } : {}) })
}

/** A transaction that takes its numbers, and commits when it is told to. */
async function openTransaction(client: Client, ...messages: AMessage[]): Promise<void> {
  await client.query('begin')
  await ingest(client, messages.map(intakeOf))
}

/** The number of the backend that serves a connection. */
async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

/** Ends one backend and no other: the store's own may be in the middle of a transaction too. */
async function terminate(client: Client, pid: number): Promise<void> {
  await client.query('select pg_terminate_backend($1)', [pid])
}

describe('the committed sequence on PostgreSQL', () => {
  /** The first transaction commits last; resolves with what a follower has seen in the end. */
  async function lateCommit(url: string, store: MessageStore): Promise<string[]> {
    const [late, early] = [new Client(url), new Client(url)]
    await Promise.all([late.connect(), early.connect()])
    const follower = new Follower(store)
    try {
      await openTransaction(late, messageFrom(1, 'late'))
      await openTransaction(early, messageFrom(2, 'early'))
      await early.query('commit')
      await follower.readOn()
      await late.query('commit')
      await follower.readOn()
      return follower.seen
    } finally {
      await Promise.all([late.end(), early.end()])
    }
  }

  it('waits for a transaction that took its numbers first and commits last', async (test) => {
    const url = await newDatabase()
    assert.deepEqual(await lateCommit(url, await openStoreFor(test, url)), ['late', 'early'])
  })

  it('would pass over it without the guard', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const client = await connectFor(test, url)
    await client.query(
      "create or replace function settled_seq_1() returns bigint language sql as 'select last_given_seq_1()'",
    )
    assert.deepEqual(await lateCommit(url, store), ['early'])
  })

  it('does not wait for one that is rolled back, nor for one whose connection is lost', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const [one, other] = [await connectFor(test, url), await connectFor(test, url)]
    await openTransaction(one, messageFrom(1))
    await openTransaction(other, messageFrom(2))
    const lost = await backendOf(other)
    await store.insert([intakeOf(messageFrom(3, 'kept'))])
    const follower = new Follower(store)
    await follower.readOn()
    assert.deepEqual(follower.seen, [])
    await one.query('rollback')
    await terminate(one, lost)
    while (follower.seen.length === 0) {
      await follower.readOn()
      await sleep(5)
    }
    assert.deepEqual(follower.seen, ['kept'])
  })

  it('knows a position again that a transaction which began earlier has not settled', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    await store.insert([intakeOf(messageFrom(1))])
    const { next } = await store.eventsAfter({ filter: {}, after: 0, limit: 9 })
    // As one that has read the last number, and is slow to take its lock.
    const slow = await connectFor(test, url)
    await slow.query(
      'begin; select pg_advisory_xact_lock_shared(numbering_lock_1(last_given_seq_1() - 1))',
    )
    const page = await store.eventsAfter({ filter: {}, after: next, limit: 9 })
    assert.deepEqual(page, { entries: [], next, more: false, last: next })
    await slow.query('rollback')
  })

  it('gives each committed message once and in order, with many commits in any order', async (test) => {
    const url = await newDatabase()
    const store = await openStoreFor(test, url)
    const follower = new Follower(store)
    const committed: string[] = []
    let writing = WRITERS
    const write = async (writer: number) => {
      const client = await connectFor(test, url)
      for (let n = 0; n < TRANSACTIONS; n++) {
        const messages = Array.from({ length: 1 + ((writer + n) % 3) }, () => messageFrom(writer))
        await openTransaction(client, ...messages)
        await sleep((writer * 7 + n * 5) % 23)
        const isKept = (writer + n) % 5 !== 0
        await client.query(isKept ? 'commit' : 'rollback')
        if (isKept) committed.push(...messages.map(({ messageId }) => messageId))
      }
      writing--
    }
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
    while (writing > 0) await follower.readOn()
    await Promise.all(writers)
    await follower.readOn()
    assert.deepEqual(follower.seen.toSorted(), committed.toSorted())
    assert.deepEqual(
      follower.seqs,
      follower.seqs.toSorted((a, b) => a - b),
    )
  })
})
