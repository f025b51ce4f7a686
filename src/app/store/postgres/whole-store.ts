// Whether a database has a store in it that can be read from its beginning to its end.
import type { ClientBase } from 'pg'
import { isUnfinished } from './identity.ts'
import { type SchemaState, schemaFault, schemaState } from './schema.ts'

/**
 * The schema of the store. Rejects, with what to do, where there is none, where this build can't
 * work with it, and where the store is a copy that is not complete.
 */
export async function requireWholeStore(client: ClientBase): Promise<SchemaState> {
  const schema = await schemaState(client)
  if (schema.found === 0) {
    throw new Error('it has no schema yet: start the service on it once, or name another database.')
  }
  const fault = schemaFault(schema)
  if (fault !== null) throw new Error(fault)
  if (await isUnfinished(client)) {
    throw new Error(
      'it is a copy that is not complete: run migrate-store again, with the same two URLs.',
    )
  }
  return schema
}
