// Compares every answer of a server with what its own API description says of that route.
import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'

type Answer = { method: string; path: string; status: number; type: string; payload: string }
export type Media = { schema?: object; example?: unknown; examples?: Record<string, unknown> }
export type Operation = {
  summary?: string
  tags?: readonly string[]
  security?: readonly object[]
  parameters?: readonly Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Described>
}
type Parameter = Media & { name: string; in: string; description?: string; required?: boolean }
type Described = {
  description: string
  headers?: Record<string, { schema?: object }>
  content?: Record<string, Media>
}
/** Operations by path and lower-case method. */
export type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** The described operations of a server that is ready. */
export function pathsOf(app: FastifyInstance): Paths {
  return app.swagger().paths as unknown as Paths
}

/** Records what `app` answers from now on; `check` throws for an answer that is not described. */
export function describedAnswers(app: FastifyInstance): { check(): void } {
  const answers = new Map<string, Answer>()
  app.addHook('onSend', (request, reply, payload, done) => {
    const path = (request.routeOptions.url ?? '').replace(/:(\w+)/g, '{$1}')
    const answer = {
      method: request.method === 'HEAD' ? 'get' : request.method.toLowerCase(),
      path,
      status: reply.statusCode,
      type: String(reply.getHeader('content-type') ?? '').split(';')[0] ?? '',
      payload: typeof payload === 'string' ? payload : '',
    }
    answers.set(JSON.stringify(answer), answer)
    done()
  })
  return {
    check() {
      if (answers.size === 0) return
      const paths = pathsOf(app)
      for (const answer of answers.values()) checkAnswer(paths, answer)
    },
  }
}

function checkAnswer(paths: Paths, { method, path, status, type, payload }: Answer): void {
  // Unknown paths and methods and the documentation's own files are not described.
  const operation = paths[path]?.[method]
  if (operation === undefined || status === 405) return
  const what = `${method} ${path} ${status}`
  const response = operation.responses[status]
  assert.ok(response, `${what} is not described`)
  const media = response.content?.[type]
  assert.ok(media?.schema, `${what} as ${type} is not described`)
  const value: unknown = type === 'application/json' ? JSON.parse(payload) : payload
  assertMatches(media.schema, value, what)
}

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

/** Throws when `value` is not what the JSON schema describes. */
export function assertMatches(schema: object, value: unknown, what: string): void {
  const validator = compiled.get(schema) ?? Compile(schema)
  compiled.set(schema, validator)
  const [problem] = validator.Errors(value)
  if (problem === undefined) return
  assert.fail(`${what}: ${problem.instancePath} ${problem.message}: ${JSON.stringify(value)}`)
}
