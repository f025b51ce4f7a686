// The flat format: one message a body, `{message_id, from, to, ts, text}`.
import { type Problem, ValidationError } from '../errors.ts'
import type { MessageEvent } from '../model/event.ts'
import { withoutNul } from '../model/fold.ts'
import { parseTimestamp } from '../model/instant.ts'
import { parseJson } from './parse.ts'
import type { Provider } from './provider.ts'
import { signingKeys, verifySignature } from './verify.ts'

/** Code points. */
const MAX_ID_LENGTH = 255
/** Code points. */
const MAX_TEXT_LENGTH = 4096
/** E.164: a plus sign, then 2 to 15 digits, the first not zero. */
const PHONE_NUMBER = /^\+[1-9][0-9]{1,14}$/

/** The provider for senders that know one of these secrets. */
export function flat(secrets: readonly string[]): Provider {
  const keys = signingKeys(secrets)
  return {
    name: 'flat',
    signatureHeader: 'x-signature',
    configured: keys.length > 0,
    secret: {
      keys,
      setting: 'WEBHOOK_SECRET',
      counterpart: 'the one that the sender signs with',
    },
    authenticate: (body, headers) => verifySignature(keys, body, headers['x-signature']),
    parse: (body) => [parseFlatMessage(body)],
  }
}

/**
 * The message in a body that is known to be authentic. Throws ValidationError naming every
 * field that is missing or wrong. Unknown fields are ignored; they stay in the raw body.
 */
export function parseFlatMessage(body: Buffer): MessageEvent {
  const value = parseJson(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError([
      { loc: ['body'], msg: 'Input should be a JSON object', type: 'model_attributes_type' },
    ])
  }
  const fields = value as Record<string, unknown>
  const problems: Problem[] = []
  const messageId = required(fields, 'message_id', problems, idProblem)
  const from = required(fields, 'from', problems, phoneProblem)
  const to = required(fields, 'to', problems, phoneProblem)
  const ts = required(fields, 'ts', problems, timestampProblem)
  const text = optionalText(fields, problems)
  const instant = parseTimestamp(ts)
  if (problems.length > 0 || instant === null) throw new ValidationError(problems)
  return {
    kind: 'message',
    messageId,
    namespace: '',
    type: 'text',
    direction: 'inbound',
    from,
    to,
    contact: { phone: from, userId: null, parentUserId: null, username: null, name: null },
    phoneNumberId: null,
    ts,
    instant,
    text,
    content: null,
  }
}

type FieldProblem = { readonly msg: string; readonly type: string }
type Check = (value: string) => FieldProblem | null

function required(
  fields: Record<string, unknown>,
  name: string,
  problems: Problem[],
  check: Check,
): string {
  const value = fields[name]
  if (value === undefined) {
    problems.push({ loc: ['body', name], msg: 'Field required', type: 'missing' })
    return ''
  }
  const problem = typeof value === 'string' ? check(value) : NOT_A_STRING
  if (problem !== null) problems.push({ loc: ['body', name], ...problem })
  return typeof value === 'string' ? value : ''
}

function optionalText(fields: Record<string, unknown>, problems: Problem[]): string | null {
  const value = fields['text']
  if (value === undefined || value === null) return null
  const problem = typeof value === 'string' ? textProblem(value) : NOT_A_STRING
  if (problem !== null) problems.push({ loc: ['body', 'text'], ...problem })
  return typeof value === 'string' ? withoutNul(value) : null
}

const NOT_A_STRING: FieldProblem = { msg: 'Input should be a valid string', type: 'string_type' }

function idProblem(value: string): FieldProblem | null {
  if (value === '') {
    return { msg: 'String should have at least 1 character', type: 'string_too_short' }
  }
  if (longerThan(value, MAX_ID_LENGTH)) return tooLong(MAX_ID_LENGTH)
  // Shown as another character, as in a text, two different ids could become one.
  if (value.includes('\u0000')) {
    return { msg: 'String should not contain U+0000', type: 'string_pattern_mismatch' }
  }
  return null
}

function phoneProblem(value: string): FieldProblem | null {
  if (PHONE_NUMBER.test(value)) return null
  return {
    msg: "String should be a phone number: '+', then 2 to 15 digits, the first not 0",
    type: 'string_pattern_mismatch',
  }
}

function timestampProblem(value: string): FieldProblem | null {
  if (parseTimestamp(value) !== null) return null
  return {
    msg: 'String should be an existing UTC date and time such as 2025-01-15T10:00:00Z',
    type: 'datetime_parsing',
  }
}

function textProblem(value: string): FieldProblem | null {
  return longerThan(value, MAX_TEXT_LENGTH) ? tooLong(MAX_TEXT_LENGTH) : null
}

function tooLong(limit: number): FieldProblem {
  return { msg: `String should have at most ${limit} characters`, type: 'string_too_long' }
}

/** Counts code points, and only where the number of UTF-16 units leaves it open. */
function longerThan(value: string, codePoints: number): boolean {
  if (value.length <= codePoints) return false
  if (value.length > codePoints * 2) return true
  let count = 0
  for (const _ of value) count++
  return count > codePoints
}
