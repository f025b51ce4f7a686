// Query and path parameters against their TypeBox schemas, with problems as FastAPI words them.
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type Problem, ValidationError } from '../errors.ts'

type ParameterValues = Record<string, unknown>
type Property = {
  readonly type?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly enum?: readonly string[]
  readonly default?: unknown
}

/**
 * Compiles a schema to a check that Fastify runs before the handler. Bodies pass: a webhook's body
 * is bytes until its signature holds, and receive/ is what reads it. So do headers, of which none
 * is required: whoever reads one checks it, and every request would pay for a copy of them all.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  if (httpPart === 'body' || httpPart === 'headers') return () => true
  const validator = Compile(schema)
  const properties = (schema as { properties?: Record<string, Property> }).properties ?? {}
  const part = httpPart === 'querystring' ? 'query' : (httpPart ?? 'request')
  return (data: ParameterValues) => {
    const value = withTypes(properties, data)
    if (validator.Check(value)) return { value }
    const wrong = Object.keys(properties).filter((name) =>
      validator.Errors(value).some(({ instancePath }) => instancePath === `/${name}`),
    )
    return {
      error: new ValidationError(
        wrong.map((name) => problemWith(part, name, properties[name] ?? {}, value[name])),
      ),
    }
  }
}

/** Parameters are text: digits become numbers where the schema wants them, gaps take the default. */
function withTypes(properties: Record<string, Property>, data: ParameterValues): ParameterValues {
  const value: ParameterValues = { ...data }
  for (const [name, property] of Object.entries(properties)) {
    const given = value[name]
    if (given === undefined && property.default !== undefined) value[name] = property.default
    if (property.type !== 'integer' || typeof given !== 'string') continue
    if (/^-?\d{1,15}$/.test(given)) value[name] = Number(given)
  }
  return value
}

function problemWith(part: string, name: string, property: Property, value: unknown): Problem {
  const loc = [part, name]
  if (Array.isArray(value)) return { loc, msg: 'Input should be given once', type: 'value_error' }
  if (property.enum !== undefined) {
    const allowed = property.enum.map((item) => `'${item}'`).join(' or ')
    return { loc, msg: `Input should be ${allowed}`, type: 'literal_error' }
  }
  const { minimum, maximum, minLength } = property
  if (minLength !== undefined) {
    const msg = `String should have at least ${minLength} character${minLength === 1 ? '' : 's'}`
    return { loc, msg, type: 'string_too_short' }
  }
  if (property.type !== 'integer') return { loc, msg: 'Input is not valid', type: 'value_error' }
  if (typeof value !== 'number') {
    return { loc, msg: 'Input should be a valid integer', type: 'int_parsing' }
  }
  if (minimum !== undefined && value < minimum) {
    const msg = `Input should be greater than or equal to ${minimum}`
    return { loc, msg, type: 'greater_than_equal' }
  }
  return { loc, msg: `Input should be less than or equal to ${maximum}`, type: 'less_than_equal' }
}
