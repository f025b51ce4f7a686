// Directories that take long to make and are the same each time: made once on a machine, and kept.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'

/**
 * Sees to it that `place` is there, with what `make` writes: it makes a directory of its own and returns
 * its path, which has to be on the same file system. Throws where `place` belongs to anybody but `owner`.
 */
export function keep(place: string, owner: number | undefined, make: () => string): void {
  if (!existsSync(place)) moveTo(place, make())
  if (statSync(place).uid !== owner) throw new Error(`${place} belongs to another user.`)
}

function moveTo(place: string, draft: string): void {
  try {
    renameSync(draft, place)
  } catch (error) {
    rmSync(draft, { recursive: true })
    // Another process was first.
    if (!existsSync(place)) throw error
  }
}
