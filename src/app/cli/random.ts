// Numbers that look random and are the same in every run with the same seed.
import { hash } from 'node:crypto'

/** Numbers in [0, 1). */
export type Random = () => number

/** A generator that depends on the seed alone (mulberry32). */
export function randomFrom(seed: number | string): Random {
  let state = typeof seed === 'number' ? seed : firstWordOf(seed)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One of several choices. */
export function pick<Choice>(choices: readonly Choice[], random: Random): Choice {
  const choice = choices[Math.floor(random() * choices.length)]
  if (choice === undefined) throw new Error('There is nothing to choose from.')
  return choice
}

function firstWordOf(seed: string): number {
  return hash('sha256', seed, 'buffer').readUInt32LE(0)
}
