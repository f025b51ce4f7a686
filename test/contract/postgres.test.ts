import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { messageStoreContract } from './message-store.ts'

let server: PostgresServer | undefined
before(async () => {
  server = await PostgresServer.start()
})
after(() => server?.remove())

messageStoreContract('PostgreSQL', async () => {
  assert.ok(server)
  const url = await server.newDatabase()
  return {
    open: () =>
      openPostgresStore({ url, poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }),
    persistent: true,
    remove: async () => {},
  }
})
