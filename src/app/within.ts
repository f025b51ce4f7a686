// Waiting for something, but not for ever.

/**
 * Settles as `work` does or, where that takes longer than `ms`, resolves with `late`; what becomes of
 * the work then is nobody's concern.
 */
export async function within<Result, Late>(
  ms: number,
  work: Promise<Result>,
  late: Late,
): Promise<Result | Late> {
  const { promise, resolve } = Promise.withResolvers<Late>()
  const timer = setTimeout(() => resolve(late), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
