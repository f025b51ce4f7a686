// The frame of a batch: entries, their changes, and what all items of one change share.
import type { Rules } from '../../model/event.ts'
import { businessOf } from './identity.ts'
import { Profiles } from './profiles.ts'
import { type Fields, fieldsOf, firstId, isFields, itemsOf, own, partsBeside } from './shape.ts'

/** What all changes of a body share. */
export type Reading = {
  /** When the body arrived, in milliseconds since 1970. */
  readonly receivedAt: number
  readonly rules: Rules
}

/** One change of one entry. */
export type Change = Reading & {
  readonly field: string
  readonly value: Fields
  /** The change as it was sent. */
  readonly raw: unknown
  readonly entryId: string | null
  readonly entryTime: unknown
  /** The number of the business, else its id, else "". */
  readonly business: string
  readonly phoneNumberId: string | null
  readonly profiles: Profiles
}

/** What a batch is made of: changes, and what has not even that shape. */
export type Frame =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'odd'; readonly type: string; readonly item: unknown }

const OBJECT = 'whatsapp_business_account'

/** The frames of a body, in its order; at least one. */
export function framesOf(body: unknown, reading: Reading): Frame[] {
  const envelope = fieldsOf(body)
  const object = firstId(envelope, 'object')
  if (!isFields(body) || (object !== null && object !== OBJECT)) {
    return [{ kind: 'odd', type: object ?? 'body', item: body }]
  }
  const entries = itemsOf(own(envelope, 'entry'))
  const frames = entries.flatMap((entry) => framesOfEntry(entry, reading))
  if (frames.length === 0) return [{ kind: 'odd', type: 'body', item: body }]
  const entry = () => entries.map((each) => idAndTimeOf(fieldsOf(each)))
  const unknown = partsBeside(envelope, ['entry'], reading.rules).map(
    (parts): Frame => ({ kind: 'odd', type: 'body', item: { entry: entry(), ...parts } }),
  )
  return [...frames, ...unknown]
}

function framesOfEntry(entry: unknown, reading: Reading): Frame[] {
  const fields = fieldsOf(entry)
  const changes = itemsOf(own(fields, 'changes'))
  if (changes.length === 0) return [{ kind: 'odd', type: 'entry', item: entry }]
  const frames = changes.map((raw): Frame => {
    const change = changeOf(fields, raw, reading)
    return change === null ? { kind: 'odd', type: 'change', item: raw } : { kind: 'change', change }
  })
  const unknown = partsBeside(fields, ['changes'], reading.rules).map(
    (parts): Frame => ({ kind: 'odd', type: 'entry', item: { ...idAndTimeOf(fields), ...parts } }),
  )
  return [...frames, ...unknown]
}

/** What tells the same in two entries apart: it happened twice. */
function idAndTimeOf(entry: Fields): Fields {
  return { id: own(entry, 'id'), time: own(entry, 'time') }
}

/** Published examples have the field beside the value, inside it, or beside the changes. */
function changeOf(entry: Fields, raw: unknown, reading: Reading): Change | null {
  const fields = fieldsOf(raw)
  const value = own(fields, 'value')
  if (!isFields(value)) return null
  const metadata = fieldsOf(own(value, 'metadata'))
  return {
    ...reading,
    field: firstId(fields, 'field') ?? firstId(value, 'field') ?? firstId(entry, 'field') ?? '',
    value,
    raw,
    entryId: firstId(entry, 'id'),
    entryTime: own(entry, 'time'),
    business: businessOf(metadata),
    phoneNumberId: firstId(metadata, 'phone_number_id'),
    profiles: new Profiles(own(value, 'contacts')),
  }
}

/** A list as it should be; what stands in the place of one is one item, and odd. */
export function listIn({ value }: Change, name: string): readonly unknown[] {
  const list = own(value, name)
  if (Array.isArray(list)) return list
  return list === undefined || list === null || list === '' ? [] : [list]
}
