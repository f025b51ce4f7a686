// Encrypted connections, as sslmode in the URL asks for them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDatabaseUrl } from '../../src/app/store/database-url.ts'
import { openPostgresStore } from '../../src/app/store/postgres/postgres-store.ts'
import { selfSigned } from '../support/certificates.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { handOver } from '../support/unprivileged.ts'

describe('the connection to PostgreSQL', () => {
  it('is encrypted and checked as far as sslmode says', async (test) => {
    const directory = temporaryDirectory(test)
    const root = selfSigned(directory, 'localhost')
    const other = selfSigned(directory, 'elsewhere.example')
    for (const file of [root.key, root.certificate]) handOver(file)
    handOver(directory)
    const server = await PostgresServer.start({
      settings: ['ssl=on', `ssl_cert_file=${root.certificate}`, `ssl_key_file=${root.key}`],
    })
    test.after(() => server.remove())
    const isEncrypted = async (host: string, query: string): Promise<boolean> => {
      // Of its own: connections of the store before may be listed a little longer than they last.
      const url = await server.newDatabase()
      const parsed = parseDatabaseUrl(`${url.replace('127.0.0.1', host)}${query}`)
      assert.ok(parsed?.engine === 'postgresql')
      const errors: unknown[] = []
      const store = await openPostgresStore({
        url: parsed.url,
        poolSize: 3,
        onCommitted: () => {},
        onUpkeepError: (error) => errors.push(error),
      })
      try {
        await store.probe()
        const rows = await server.query<{ ssl: boolean }>(
          `select ssl from pg_stat_ssl join pg_stat_activity using (pid)
           where application_name = 'whatsapp-webhook-service'
             and datname = '${new URL(url).pathname.slice(1)}'`,
        )
        assert.ok(rows.length > 0)
        return rows.every(({ ssl }) => ssl)
      } finally {
        await store.close()
      }
    }
    assert.equal(await isEncrypted('127.0.0.1', ''), false)
    assert.equal(await isEncrypted('127.0.0.1', '?sslmode=disable'), false)
    assert.equal(await isEncrypted('127.0.0.1', '?sslmode=require'), true)
    const trusting = `?sslmode=verify-full&sslrootcert=${root.certificate}`
    assert.equal(await isEncrypted('localhost', trusting), true)
    // The certificate is of another host, of another authority, or of one that nobody knows.
    await assert.rejects(isEncrypted('127.0.0.1', trusting), /certificate|altnames/i)
    const mistrusting = `?sslmode=verify-ca&sslrootcert=${other.certificate}`
    await assert.rejects(isEncrypted('localhost', mistrusting), /certificate/i)
    await assert.rejects(isEncrypted('localhost', '?sslmode=verify-full'), /certificate/i)
  })
})
