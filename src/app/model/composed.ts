// Unicode's NFC in time that grows as the text does. The engine sorts marks by insertion, and moves all
// that follows whenever it joins two letters: a run of either takes the square of its length, which
// for a megabyte is minutes.

/**
 * What the engine moves or joins with what stands before it: marks, and the one letter that pairs
 * up endlessly, alone or as such a pair. (Of Hangul each syllable begins anew.)
 */
const JOINING = String.raw`[\p{M}\u{16d67}\u{16d68}]`
/** Longer than any that people write, and short enough for the engine. Code points. */
const LONG_RUN = 128
const HAS_LONG_RUN = new RegExp(`(?<!${JOINING})${JOINING}{${LONG_RUN}}`, 'u')

/** Nothing before it is made of others, and nothing before U+0300 joins with what it follows. */
const FIRST_OF_SEVERAL = '\u00c0'
/** The only mark of the last class. */
const LAST_MARK = '\u0345'
/** No mark that is sorted is behind it. */
const LAST_CODE = 0x1ffff

/** Unicode NFC, exactly as `normalize` has it. */
export function composed(text: string): string {
  if (text.length < LONG_RUN || !HAS_LONG_RUN.test(text)) return text.normalize('NFC')
  return joined(inOrder(decomposed(text)))
}

function decomposed(text: string): string[] {
  return [...text].flatMap((character) =>
    isWhole(character) ? character : [...character.normalize('NFD')],
  )
}

function isWhole(character: string): boolean {
  return character < FIRST_OF_SEVERAL || classOf(character) > 0
}

/** The marks that follow each other by their classes; those of one class stay as they came. */
function inOrder(characters: readonly string[]): string[] {
  const ordered: string[] = []
  let marks: string[] = []
  const endRun = () => {
    for (const mark of sorted(marks)) ordered.push(mark)
    marks = []
  }
  for (const character of characters) {
    if (classOf(character) > 0) {
      marks.push(character)
      continue
    }
    if (marks.length > 0) endRun()
    ordered.push(character)
  }
  endRun()
  return ordered
}

function sorted(marks: readonly string[]): readonly string[] {
  const byClass = [...Map.groupBy(marks, classOf)].sort(([one], [other]) => one - other)
  return byClass.flatMap(([, ofClass]) => ofClass)
}

/** A letter takes in what it has a common character with, unless there is something in the way. */
function joined(characters: readonly string[]): string {
  const result: string[] = []
  let letter = -1
  let classBefore = 0
  for (const character of characters) {
    const ownClass = classOf(character)
    const isReached = letter === result.length - 1 || classBefore < ownClass
    const pair = isReached ? pairOf(result[letter] ?? '', character) : null
    if (pair !== null) {
      result[letter] = pair
      continue
    }
    if (ownClass === 0) letter = result.length
    classBefore = ownClass
    result.push(character)
  }
  return result.join('')
}

/** One character for two; null where there is none. */
function pairOf(letter: string, character: string): string | null {
  if (letter === '' || character < FIRST_OF_SEVERAL) return null
  const pair = `${letter}${character}`.normalize('NFC')
  const [first] = pair
  return first === pair ? pair : null
}

let classes: ReadonlyMap<string, number> | null = null

/** The class that a mark is sorted by, from 1; 0 of what stays where it is, as do marks behind it. */
function classOf(character: string): number {
  if (character < FIRST_OF_SEVERAL) return 0
  classes ??= classesOfMarks()
  return classes.get(character) ?? 0
}

/** As the engine sorts all marks, once: it does not tell their classes in another way. */
function classesOfMarks(): ReadonlyMap<string, number> {
  const codes = Array.from({ length: LAST_CODE + 1 }, (_, code) => code)
  const marks = codes.map((code) => String.fromCodePoint(code)).filter(isSorted)
  const numbers = new Map<string, number>()
  let before = ''
  let number = 1
  for (const mark of marks.join('').normalize('NFD')) {
    if (isPassedBy(mark, before)) number++
    numbers.set(mark, number)
    before = mark
  }
  return numbers
}

function isSorted(character: string): boolean {
  if (!/^\p{M}$/u.test(character) || character.normalize('NFD') !== character) return false
  return character === LAST_MARK || isPassedBy(LAST_MARK, character)
}

/** Whether a mark behind this one moves in front of it. */
function isPassedBy(mark: string, other: string): boolean {
  return `${mark}${other}`.normalize('NFD') !== `${mark}${other}`
}
