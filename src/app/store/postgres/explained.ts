// Tells a fault of this program from a schema that a newer version has taken out of its reach.
import { StoreUnavailableError } from '../../errors.ts'
import { sqlState, storeError } from './faults.ts'
import { SchemaMismatchError } from './schema.ts'

/**
 * What an error means for the service. Where the server refused a statement for good, `requireSchema`
 * is asked: the function or the column may be gone because this replica is too old, and then a newer
 * one can do what it can't.
 */
export async function explained(
  error: unknown,
  requireSchema: () => Promise<void>,
): Promise<unknown> {
  const known = storeError(error)
  const code = sqlState(error)
  if (known instanceof StoreUnavailableError || code === null) return known
  try {
    await requireSchema()
  } catch (reason) {
    if (reason instanceof SchemaMismatchError) {
      // A log names errors by their kinds and codes alone.
      return Object.assign(new StoreUnavailableError(reason.message, { cause: reason }), { code })
    }
  }
  return known
}
