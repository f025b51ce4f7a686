// What Linux says about a process: memory and processor time. Null on systems without /proc.
import { readFileSync } from 'node:fs'

/** Linux counts processor time in these for every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** Resident memory in MB (10^6 bytes): now, and the most there ever was. */
export type Memory = { readonly nowMb: number; readonly peakMb: number }

/** The memory of a process. */
export function memoryOf(pid: number): Memory | null {
  const status = read(`/proc/${pid}/status`)
  if (status === null) return null
  const field = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6
  return { nowMb: field('VmRSS'), peakMb: field('VmHWM') }
}

/** Processor time a process has used since its start, in seconds, all its threads together. */
export function cpuSeconds(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
