// Looking into JSON whose shape nobody vouches for. Absent, null and "" are one and the same.
import { hash } from 'node:crypto'
import type { Rules } from '../../model/event.ts'
import { withoutNul } from '../../model/fold.ts'

export type Fields = Readonly<Record<string, unknown>>

/**
 * Bytes of UTF-8, as a JSON string has them: keys are made of several. Nothing that something is
 * looked up by is longer; what is, is known by its digest. An entry of an index of PostgreSQL holds
 * up to 2,704 bytes, and some hold three of these.
 */
const MAX_ID_BYTES = 512
/** Of one UTF-16 unit in a JSON string, as in `\u0001`. */
const MOST_BYTES = 6

/** The value as an object; one without fields where it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

/** Whether a value is an object with names. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field of the object's own: __proto__ in a body is a name like any other. */
export function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** The items of a list; a single object is a list of one. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isFields(value) ? [value] : []
}

/** How many items all lists have that a value is made of, however deep. */
export function itemsWithin(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values = Object.values(value)
  return values.reduce<number>(
    (sum, inner) => sum + itemsWithin(inner),
    Array.isArray(value) ? value.length : 0,
  )
}

/**
 * The lists of an object that have anything in them, and its objects that have, but for those of these
 * names: each where there are any. They are apart, since by earlier rules there were no objects.
 */
export function partsBeside(
  fields: Fields,
  known: readonly string[],
  rules: Rules,
): readonly Fields[] {
  const full = Object.entries(fields).filter(
    ([name, part]) =>
      typeof part === 'object' &&
      part !== null &&
      Object.keys(part).length > 0 &&
      !known.includes(name),
  )
  const lists = full.filter(([, part]) => Array.isArray(part))
  const objects = rules < 3 ? [] : full.filter(([, part]) => !Array.isArray(part))
  return [lists, objects].filter(({ length }) => length > 0).map(Object.fromEntries)
}

/** A text that says something, as the store can hold it; a number as its digits. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string' || value === '') return null
  return withoutNul(value.toWellFormed())
}

/** The first of some fields that says something. */
export function firstText(fields: Fields, ...names: readonly string[]): string | null {
  for (const name of names) {
    const text = textOf(own(fields, name))
    if (text !== null) return text
  }
  return null
}

/** As firstText, and short enough to be looked up by. */
export function firstId(fields: Fields, ...names: readonly string[]): string | null {
  const text = firstText(fields, ...names)
  return text === null ? null : short(text)
}

/** An identifier; null where there is none, or one too long to be one. */
export function idOf(value: unknown): string | null {
  const id = textOf(value)
  return id === null || short(id) !== id ? null : id
}

/** The text itself, or its digest where it is too long to be looked up by. */
export function short(text: string): string {
  if (text.length * MOST_BYTES <= MAX_ID_BYTES) return text
  return Buffer.byteLength(JSON.stringify(text)) <= MAX_ID_BYTES ? text : digestKeyOf(text)
}

/** What identifies something that has no id: the digest of all there is of it. */
export function digestKeyOf(...parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}

/** A key made of several identifiers. */
export function keyOf(...parts: readonly (string | null)[]): string {
  return short(JSON.stringify(parts))
}
