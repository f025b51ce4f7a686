import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertMatches, type Operation, pathsOf } from '../support/described-answers.ts'
import { openServer } from '../support/http-server.ts'
import { routesOf } from '../support/routes.ts'
import { flatBody } from '../support/signed.ts'

type Description = {
  openapi: string
  info: { title: string; version: string; description: string }
  tags: { name: string }[]
  security: object[]
  components: { securitySchemes: Record<string, { type: string; scheme: string }> }
  servers?: unknown
}

const server = await openServer({ after })
await server.app.ready()
const description = (await server.get('/openapi.json')).json<Description>()
const paths = pathsOf(server.app)
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

/** The documentation describes everything but its own files. */
const DOCUMENTATION = /^\/(openapi\.json|docs|redoc)(\/|$)/

function operationAt(path: string, method = 'get'): Operation {
  const operation = paths[path]?.[method]
  assert.ok(operation, `${method} ${path}`)
  return operation
}

/** Every object in a JSON value, with its place. */
function* objectsIn(value: unknown, place = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return
  yield [place, value as Record<string, unknown>]
  for (const [name, item] of Object.entries(value)) yield* objectsIn(item, `${place}/${name}`)
}

test('the description is OpenAPI 3.1, named and versioned as configured', async (t) => {
  assert.equal(description.openapi, '3.1.0')
  const environment = { APP_NAME: 'Front door', APP_VERSION: '9.8.7' }
  const named = await openServer(t, { environment })
  const { info } = (await named.get('/openapi.json')).json<Description>()
  assert.equal(info.title, 'Front door')
  assert.equal(info.version, '9.8.7')
})

test('it is served as JSON, and refers to no other host', async () => {
  const { headers, body } = await server.get('/openapi.json')
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  assert.doesNotMatch(body, /\/\/[a-z0-9]/i)
  assert.equal(description.servers, undefined)
  for (const [place, { $ref }] of objectsIn(description)) {
    assert.ok($ref === undefined || String($ref).startsWith('#/'), place)
  }
})

test('every route of the server is described, and nothing else', () => {
  const real = routesOf(server.app)
    .map(({ path }) => path.replace(/:(\w+)/g, '{$1}'))
    .filter((path) => !DOCUMENTATION.test(path))
  assert.deepEqual(Object.keys(paths).sort(), real.sort())
  for (const { path, method } of operations) {
    assert.ok(method === 'get' || path.startsWith('/webhook'), path)
  }
})

test('every operation has a summary, a tag of the list, and described answers', () => {
  const tags = description.tags.map(({ name }) => name)
  for (const { path, operation } of operations) {
    assert.ok(operation.summary, path)
    assert.ok(operation.tags?.every((tag) => tags.includes(tag)) && operation.tags.length === 1)
    for (const [status, response] of Object.entries(operation.responses)) {
      assert.match(status, /^[2-5]\d\d$/)
      assert.ok(response.description, `${path} ${status}`)
      assert.notEqual(response.description, 'Default Response', `${path} ${status}`)
      assert.ok(response.content, `${path} ${status}`)
    }
  }
})

test('every answer and every body has an example, and every example is what its schema says', () => {
  for (const { path, operation } of operations) {
    const bodies = [operation.requestBody, ...Object.values(operation.responses)]
    for (const [type, media] of bodies.flatMap((body) => Object.entries(body?.content ?? {}))) {
      const examples = [media.example, ...Object.values(media.examples ?? {})]
      const given = examples.filter((example) => example !== undefined)
      assert.ok(given.length > 0, `${path} ${type}: ${JSON.stringify(media).slice(0, 100)}`)
      for (const example of given) assertMatches(media.schema ?? {}, example, path)
    }
  }
  for (const [place, schema] of objectsIn(paths)) {
    if (!Array.isArray(schema['examples'])) continue
    for (const example of schema['examples']) assertMatches(schema, example, place)
  }
})

test('every parameter is described with an example or a default that its schema allows', () => {
  for (const { path, operation } of operations) {
    for (const { name, description: text, schema, example } of operation.parameters ?? []) {
      const value = example ?? (schema as { default?: unknown }).default
      assert.ok(text, `${path} ${name}`)
      assert.notEqual(value, undefined, `${path} ${name}`)
      assertMatches(schema ?? {}, value, `${path} ${name}`)
    }
  }
})

test('the parameters are those that the service reads, and only the id is required', () => {
  const named = (path: string, method?: string) =>
    (operationAt(path, method).parameters ?? []).map(
      ({ name, in: where, required }) => `${where} ${name}${required ? ' required' : ''}`,
    )
  assert.deepEqual(named('/messages').sort(), [
    'query contact',
    'query cursor',
    'query direction',
    'query from',
    'query limit',
    'query offset',
    'query order',
    'query phone_number_id',
    'query q',
    'query since',
    'query status',
    'query to',
    'query type',
    'query until',
  ])
  assert.deepEqual(named('/messages/{message_id}'), ['path message_id required'])
  assert.deepEqual(named('/webhook', 'post'), ['header x-signature'])
  assert.deepEqual(named('/stats'), [])
  for (const { path } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => `path ${name} required`)
    const declared = operations.find((other) => other.path === path)?.operation.parameters ?? []
    assert.equal(declared.filter((parameter) => parameter.in === 'path').length, inPath.length)
  }
})

test('no description has a word in angle brackets, which its readers take for a tag, but as code', () => {
  let described = 0
  for (const [place, fields] of objectsIn(description)) {
    for (const name of ['description', 'summary', 'title']) {
      const text = fields[name]
      if (typeof text !== 'string') continue
      described++
      assert.doesNotMatch(text.replace(/`[^`]*`/g, ''), /<[a-z/!]/i, `${place}/${name}`)
    }
  }
  assert.ok(described > 100)
  const { description: unauthorized } = operationAt('/messages').responses['401'] ?? {}
  assert.match(unauthorized ?? '', /`Authorization: Bearer <key>`/)
})

test('the routes that need a key say so, and the public ones that they do not', () => {
  assert.deepEqual(description.security, [{ key: [] }])
  const { key } = description.components.securitySchemes
  assert.equal(key?.type, 'http')
  assert.equal(key?.scheme, 'bearer')
  for (const { path, method, operation } of operations) {
    const isPublic = path.startsWith('/webhook') || path.startsWith('/health/')
    assert.deepEqual(operation.security, isPublic ? [] : undefined, path)
    assert.equal('401' in operation.responses, !isPublic || method === 'post', path)
  }
})

test('the errors of the contract are described where they can happen', () => {
  const statuses = (path: string, method?: string) =>
    Object.keys(operationAt(path, method).responses).map(Number)
  assert.deepEqual(statuses('/webhook', 'post'), [200, 400, 401, 413, 415, 422, 500, 503])
  assert.deepEqual(statuses('/messages'), [200, 400, 401, 422, 500, 503])
  assert.deepEqual(statuses('/messages/{message_id}'), [200, 400, 401, 404, 500, 503])
  assert.deepEqual(statuses('/stats'), [200, 400, 401, 500, 503])
  assert.deepEqual(statuses('/metrics'), [200, 400, 401, 500, 503])
  assert.deepEqual(statuses('/webhook'), [200, 400, 403, 500, 503])
  assert.deepEqual(statuses('/health/live'), [200, 400, 503])
  assert.deepEqual(statuses('/health/ready'), [200, 400, 503])
})

test('an answer 503 to a message promises a Retry-After', () => {
  for (const { path, operation } of operations) {
    const response = operation.responses['503']
    if (response === undefined || path === '/health/ready') continue
    assert.ok(response.headers?.['Retry-After']?.schema, path)
  }
})

test('the example of a message is one that the service takes, and the one it shows', async () => {
  const { content = {} } = operationAt('/webhook', 'post').requestBody ?? {}
  const example = content['application/json']?.example as ReturnType<typeof flatBody>
  assert.equal((await server.post(example)).statusCode, 200)
  const shown = await server.get(`/messages/${example.message_id}`)
  assert.partialDeepStrictEqual(shown.json<object>(), example)
})

test('the described limits of a message are those that are checked', async () => {
  const { content = {} } = operationAt('/webhook', 'post').requestBody ?? {}
  const { schema = {} } = content['application/json'] ?? {}
  const bodies: readonly [object, boolean][] = [
    [flatBody(), true],
    [flatBody({ text: null }), true],
    [flatBody({ text: '😀'.repeat(4096) }), true],
    [flatBody({ text: 'x'.repeat(4097) }), false],
    [flatBody({ message_id: '😀'.repeat(255) }), true],
    [flatBody({ message_id: 'x'.repeat(256) }), false],
    [flatBody({ message_id: '' }), false],
    [flatBody({ from: '+0123' }), false],
    [flatBody({ to: '+1' }), false],
    [{ ...flatBody(), ts: undefined }, false],
    [{ ...flatBody(), extra: [] }, true],
  ]
  for (const [body, valid] of bodies) {
    const json = JSON.stringify(body)
    assert.equal((await server.post(json)).statusCode, valid ? 200 : 422, json.slice(0, 200))
    if (valid) assertMatches(schema, JSON.parse(json), json)
    else assert.throws(() => assertMatches(schema, JSON.parse(json), json))
  }
})
