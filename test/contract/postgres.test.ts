import assert from 'node:assert/strict'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { newDatabase } from '../support/databases.ts'
import { messageStoreContract } from './message-store.ts'

messageStoreContract('PostgreSQL', async () => {
  const options = { poolSize: 5, onCommitted: () => {}, onUpkeepError: assert.ifError }
  const url = await newDatabase()
  return {
    open: () => openPostgresStore({ url, ...options }),
    persistent: true,
    remove: async () => {},
  }
})
