// Looking into JSON whose shape nobody vouches for. Absent, null and "" are one and the same.
import { hash } from 'node:crypto'
import { withoutNul } from '../../model/fold.ts'

export type Fields = Readonly<Record<string, unknown>>

/** No key of ours is longer; what is, is known by its digest. UTF-16 units. */
const MAX_ID_LENGTH = 512

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

/** An identifier; null where there is none, or one too long to be one. */
export function idOf(value: unknown): string | null {
  const id = textOf(value)
  return id === null || id.length > MAX_ID_LENGTH ? null : id
}

/** What identifies something that has no id: the digest of all there is of it. */
export function digestOf(...parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}

/** A key made of several identifiers. */
export function keyOf(...parts: readonly (string | null)[]): string {
  const key = JSON.stringify(parts)
  return key.length > MAX_ID_LENGTH ? digestOf(key) : key
}
