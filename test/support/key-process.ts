// Finds the key for reading of many databases, one behind the other, as a process of its own that
// begins when the file in the first argument is there. Writes what it found as JSON.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findApiKeys } from '../../src/app/api-key.ts'
import { readConfig } from '../../src/app/config.ts'
import { createLog } from '../../src/app/log.ts'

const [signal = '', directory = '', count] = process.argv.slice(2)
const { log } = createLog({ logLevel: 'silent', logFormat: 'json' })
while (!existsSync(signal)) {}
const keys = Array.from({ length: Number(count) }, (_, i) => {
  const file = join(directory, String(i), 'messages.db')
  try {
    return findApiKeys(readConfig({ DATABASE_URL: `sqlite:///${file}` }), log)[0]?.key
  } catch (error) {
    return (error as Error).message
  }
})
process.stdout.write(JSON.stringify(keys))
