// Bytes to JSON, with the limits that keep a hostile body from costing more than it is worth.
import { isUtf8 } from 'node:buffer'
import { type Problem, ValidationError } from '../errors.ts'
import type { Rules } from '../model/event.ts'

const MAX_DEPTH = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
/** Where a number of 16 digits or more may begin: 2^53 has that many. In a string it does no harm. */
const LONG_NUMBER = /(?:^|[\s:[,])-?\d{16}/
const INTEGER = /^-?\d+$/
/** As it is since Node 21; TypeScript knows nothing of the third argument. */
const parseWithSources = JSON.parse as (
  text: string,
  reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown

/**
 * The JSON value in `body`. Throws ValidationError for invalid UTF-8, malformed JSON, nesting
 * deeper than 64 and strings or names with a lone surrogate.
 */
export function parseJson(body: Buffer): unknown {
  const value = parseJsonLoosely(body)
  // Valid UTF-8 holds no surrogates, so only an escape can bring one in.
  if (body.includes('\\u') && !isWellFormed(value)) {
    throw invalid('string_unicode', 'The body contains a lone surrogate, which is not a character')
  }
  return value
}

/**
 * As parseJson, but strings may hold lone surrogates, and an integer that a number can't hold is the
 * text of its digits: rounded, two ids would be one.
 */
export function parseJsonExactly(body: Buffer): unknown {
  return parseWith(body, (text) =>
    LONG_NUMBER.test(text) ? parseWithSources(text, exactInteger) : JSON.parse(text),
  )
}

/** As parseJson, but strings may hold lone surrogates. */
export function parseJsonLoosely(body: Buffer): unknown {
  return parseWith(body, (text) => JSON.parse(text))
}

/** As bodies are read by these rules: the first ones rounded long integers. */
export function parseJsonBy(rules: Rules, body: Buffer): unknown {
  return rules < 2 ? parseJsonLoosely(body) : parseJsonExactly(body)
}

function exactInteger(
  _name: string,
  value: unknown,
  { source }: { readonly source?: string },
): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return source !== undefined && INTEGER.test(source) ? source : value
}

function parseWith(body: Buffer, parseText: (text: string) => unknown): unknown {
  if (!isUtf8(body)) throw invalid('json_invalid', 'The body is not valid UTF-8')
  if (depthOf(body) > MAX_DEPTH) {
    throw invalid('json_too_deep', `The body is nested deeper than ${MAX_DEPTH} levels`)
  }
  try {
    return parseText(body.toString('utf8'))
  } catch {
    // The parser's own message quotes the body, so it goes no further.
    throw invalid('json_invalid', 'JSON decode error')
  }
}

/** The deepest nesting of brackets outside strings; only meaningful as a bound for malformed JSON. */
function depthOf(body: Buffer): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (inString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) {
      inString = true
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--
    }
  }
  return deepest
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (Array.isArray(value)) return value.every(isWellFormed)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, item]) => name.isWellFormed() && isWellFormed(item))
}

function invalid(type: string, msg: string): ValidationError {
  const problem: Problem = { loc: ['body'], msg, type }
  return new ValidationError([problem])
}
