import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/app/store/sqlite/sqlite-store.ts'
import { messageStoreContract } from './message-store.ts'

const onIndexError = (error: unknown) => {
  throw error
}

messageStoreContract('a SQLite file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-contract-'))
  const file = join(directory, 'messages.db')
  return {
    open: () => openSqliteStore({ file, onIndexError }),
    persistent: true,
    remove: () => rm(directory, { recursive: true }),
  }
})

messageStoreContract('a temporary SQLite file', async () => ({
  open: () => openSqliteStore({ file: null, onIndexError }),
  persistent: false,
  remove: async () => {},
}))
