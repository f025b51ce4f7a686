import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/app/store/open.ts'
import { messageStoreContract } from './message-store.ts'

const onIndexError = (error: unknown) => {
  throw error
}

messageStoreContract('a SQLite file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-contract-'))
  const url = { engine: 'sqlite', file: join(directory, 'messages.db') } as const
  return {
    open: () => openStore({ url, onIndexError }),
    persistent: true,
    remove: () => rm(directory, { recursive: true }),
  }
})

messageStoreContract('SQLite in memory', async () => ({
  open: () => openStore({ url: { engine: 'sqlite', file: null }, onIndexError }),
  persistent: false,
  remove: async () => {},
}))
