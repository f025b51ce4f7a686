// Kinds of damage to the files of a store, and the sound files that each trial begins with again.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const PAGE = 4096

/** What a kind of damage leaves of the store. */
export type Left =
  /** What is left, or that it can't be used, has to be found out. */
  | 'doubt'
  /** An end that is missing can't be told from one that a crash kept from being written. */
  | 'an earlier state'
  /** Where commits are behind the damage, it is refused; else it lost no more than the last ones. */
  | 'all but the last'
  | 'everything'
  | 'nothing'

export type Damage = {
  readonly name: string
  /** Of which store: of one that was stopped, whose log is empty, or of one that was killed. */
  readonly of: 'stopped' | 'killed'
  readonly left: Left
  /** Damages the files of the database `file`; `pick` chooses a number below its argument. */
  readonly apply: (file: string, pick: (limit: number) => number) => void
}

type Change = (bytes: Buffer, at: number) => Buffer

/** Damage to the bytes of one of the files, the one whose name ends so. */
function changed(suffix: '' | '-wal' | '-shm', change: Change): Damage['apply'] {
  return (file, pick) => {
    const bytes = readFileSync(`${file}${suffix}`)
    writeFileSync(`${file}${suffix}`, change(bytes, pick(bytes.length)))
  }
}

const flipBit: Change = (bytes, at) => bytes.fill((bytes[at] ?? 0) ^ 4, at, at + 1)
const garble: Change = (bytes, at) => bytes.fill('garbage', at, Math.min(at + PAGE, bytes.length))
const garblePage: Change = (bytes, at) => garble(bytes, at - (at % PAGE))
const garbleAll: Change = (bytes) => bytes.fill('garbage')
const cut: Change = (bytes, at) => bytes.subarray(0, at)

export const DAMAGES: readonly Damage[] = [
  { name: 'a flipped bit', of: 'stopped', left: 'doubt', apply: changed('', flipBit) },
  { name: 'a page of garbage', of: 'stopped', left: 'doubt', apply: changed('', garblePage) },
  { name: 'a file cut short', of: 'stopped', left: 'doubt', apply: changed('', cut) },
  {
    name: 'garbage in the log',
    of: 'killed',
    left: 'all but the last',
    apply: changed('-wal', garble),
  },
  {
    name: 'a flipped bit in the log',
    of: 'killed',
    left: 'all but the last',
    apply: changed('-wal', flipBit),
  },
  {
    name: 'a log cut short',
    of: 'killed',
    left: 'an earlier state',
    apply: changed('-wal', cut),
  },
  {
    name: "garbage as the log's index",
    of: 'killed',
    left: 'everything',
    apply: changed('-shm', garbleAll),
  },
  {
    name: "a missing index of the log's",
    of: 'killed',
    left: 'everything',
    apply: (file) => rmSync(`${file}-shm`),
  },
  {
    name: 'a file that is no database',
    of: 'stopped',
    left: 'nothing',
    apply: (file) => writeFileSync(file, 'this is no database, and it is not meant to be one'),
  },
  {
    name: 'a directory in its place',
    of: 'stopped',
    left: 'nothing',
    apply: (file) => {
      rmSync(file)
      mkdirSync(file)
    },
  },
]

/** Keeps the files of a database as they are now; the result brings exactly them back. */
export function keep(file: string): () => void {
  const directory = dirname(file)
  const kept = mkdtempSync(join(directory, 'kept-'))
  for (const name of filesOf(file)) copyFileSync(join(directory, name), join(kept, name))
  return () => {
    for (const name of filesOf(file)) rmSync(join(directory, name), { recursive: true })
    for (const name of readdirSync(kept)) copyFileSync(join(kept, name), join(directory, name))
  }
}

/** The database, its search index, and the logs of both. */
function filesOf(file: string): string[] {
  const stem = basename(file, '.db')
  return readdirSync(dirname(file)).filter((name) => name.startsWith(stem))
}
