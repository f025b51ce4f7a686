import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openServer } from '../support/http-server.ts'

const server = await openServer({ after })
const PAGES = ['/docs', '/redoc']

/** What an HTML page refers to. */
function referencesIn(html: string): string[] {
  return [...html.matchAll(/\b(?:src|href|spec-url|action|data)="([^"]*)"/g)].map(
    ([, reference = '']) => reference,
  )
}

function policyOf(headers: Record<string, unknown>): Map<string, string[]> {
  const policy = String(headers['content-security-policy'])
  const directives = policy.split(';').map((directive) => directive.trim().split(' '))
  return new Map(directives.map(([name = '', ...sources]) => [name, sources]))
}

test('both pages are HTML that refers to nothing but files of this server', async () => {
  for (const page of PAGES) {
    const { statusCode, headers, body } = await server.get(page)
    assert.equal(statusCode, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.match(body, /^<!doctype html>/)
    assert.doesNotMatch(body, /https?:|[="']\/\//)
    const references = referencesIn(body)
    assert.ok(references.includes('/openapi.json') || page === '/docs')
    for (const reference of references.filter((name) => name !== 'data:,')) {
      assert.match(reference, /^\/[a-z]/)
      assert.equal((await server.get(reference)).statusCode, 200, reference)
    }
  }
})

test('a page runs no script but its own files, and its scripts are what they are named', async () => {
  for (const page of PAGES) {
    const { body } = await server.get(page)
    assert.doesNotMatch(body, /<script(?![^>]*\bsrc=)/)
    assert.doesNotMatch(body, /\son\w+=|javascript:/)
    for (const file of referencesIn(body).filter((name) => /\.(js|css)$/.test(name))) {
      const { headers, body: content } = await server.get(file)
      const type = file.endsWith('.js') ? 'text/javascript' : 'text/css'
      assert.equal(headers['content-type'], `${type}; charset=utf-8`, file)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.doesNotMatch(content, /^\s*</)
    }
  }
})

test('the pages show the description of this server, and ask nobody to check it', async () => {
  const { body: start } = await server.get('/docs/start.js')
  assert.match(start, /url: '\/openapi\.json'/)
  assert.match(start, /validatorUrl: null/)
  assert.match((await server.get('/docs/swagger-ui-bundle.js')).body, /SwaggerUIBundle/)
  assert.match((await server.get('/redoc/redoc.standalone.js')).body, /redoc/i)
})

test('the policy of every file lets a browser reach no other host', async () => {
  const files = ['/docs/start.js', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css']
  for (const path of [...PAGES, ...files, '/redoc/redoc.standalone.js']) {
    const policy = policyOf((await server.get(path)).headers)
    const allowed = ["'self'", "'none'", 'data:', 'blob:']
    for (const [name, sources] of policy) {
      for (const source of sources) {
        const inlineStyle = name === 'style-src' && source === "'unsafe-inline'"
        assert.ok(allowed.includes(source) || inlineStyle, `${path}: ${name} ${source}`)
      }
    }
    assert.deepEqual(policy.get('default-src'), ["'none'"])
    assert.deepEqual(policy.get('script-src'), ["'self'"])
    assert.deepEqual(policy.get('connect-src'), ["'self'"])
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) {
      assert.deepEqual(policy.get(name), ["'none'"], name)
    }
  }
})

test('only the listed files are served, whatever the path says', async () => {
  const paths = [
    '/docs/package.json',
    '/docs/index.html',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/docs/..\\..\\package.json',
    '/redoc/redoc.js',
    '/redoc/../package.json',
    '/package.json',
    '/.env',
    '/data/messages.db',
  ]
  for (const path of paths) assert.equal((await server.get(path)).statusCode, 404, path)
})
