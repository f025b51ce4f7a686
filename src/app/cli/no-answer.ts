// Why a server gave no answer, in a word.

/**
 * Of an error of `fetch`: the system's code, such as ECONNREFUSED; else a name, such as TimeoutError,
 * or what fetch itself minds, such as "bad port".
 */
export function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { cause } = error
  if (!(cause instanceof Error)) return codeOf(error) ?? error.name
  return codeOf(cause) ?? cause.message
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
