// Why a server gave no answer, in a word.

/** Of an error of `fetch`: the system's code, such as ECONNREFUSED; else a name, such as TimeoutError. */
export function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const cause = error.cause ?? error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : error.name
}
