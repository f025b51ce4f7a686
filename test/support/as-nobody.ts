// The rights of a user who owns nothing, also where the tests run as root, whom no mode stops.

const NOBODY = 65_534

/** Does `work` without root's rights. Nothing else of this process has them meanwhile. */
export async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return await work()
  process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    process.seteuid?.(0)
  }
}
