// Which files this process has open, all its threads together; on Linux, which tells it.
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

const HANDLES = '/proc/self/fd'

export const TELLS_OPEN_FILES = existsSync(HANDLES)

/** Those that were opened in a directory, once for each time. */
export function openFilesIn(directory: string): string[] {
  return readdirSync(HANDLES).flatMap((handle) => {
    try {
      const path = readlinkSync(join(HANDLES, handle))
      return path.startsWith(`${directory}/`) ? [path] : []
    } catch {
      // The one that this list was read by.
      return []
    }
  })
}
