// The rules that keep the source readable: who may import whom, and how long a file may be.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../src/app', import.meta.url))
const MEDIAN_LINES = 90
const MAX_LINES = 250
/** Files that may be longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {}

type Import = {
  /** A path below src/app, or the name of a package or of a module of Node. */
  readonly target: string
  readonly typeOnly: boolean
}
type File = { readonly path: string; readonly text: string; readonly imports: readonly Import[] }

const NAMES = String.raw`\{[^}]*\}|\*(?: as \w+)?|\w+(?:, \{[^}]*\})?`
const STATEMENT = new RegExp(`^(?:import|export) (type )?(${NAMES}) from '([^']+)'`, 'gm')
const WITHOUT_NAMES = /^import '([^']+)'|\bimport\('([^']+)'\)/gm

function importsIn(path: string, text: string): Import[] {
  const named = [...text.matchAll(STATEMENT)].map(([, type, names = '', target = '']) => ({
    target: resolved(path, target),
    typeOnly: type !== undefined || onlyTypes(names),
  }))
  const others = [...text.matchAll(WITHOUT_NAMES)].map(([, first, second]) => ({
    target: resolved(path, first ?? second ?? ''),
    typeOnly: false,
  }))
  return [...named, ...others]
}

function onlyTypes(names: string): boolean {
  const list = /^\{([^}]*)\}$/.exec(names)?.[1]
  if (list === undefined) return false
  const items = list.split(',').map((item) => item.trim())
  return items.every((item) => item === '' || item.startsWith('type '))
}

function resolved(path: string, target: string): string {
  return target.startsWith('.') ? posix.join(dirname(path), target) : target
}

const files: readonly File[] = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return { path, text, imports: importsIn(path, text) }
  })

const isOurs = ({ target }: Import) => target.endsWith('.ts')
const isNode = ({ target }: Import) => target.startsWith('node:')

function within(target: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? target.startsWith(place) : target === place))
}

/** What the files of one place may import of ours: anything of the first, only types of the second. */
type Rule = { readonly values: readonly string[]; readonly types?: readonly string[] }

/** An engine knows what both share, and nothing of the other. */
function engineRule(place: string): Rule {
  const ofAll = ['store/body.ts', 'store/catch-up.ts', 'store/held-up.ts']
  const shared = ['store/sql/', 'store/verify/', ...ofAll]
  return {
    values: [place, ...shared, 'model/', 'errors.ts', 'within.ts'],
    types: ['store/store.ts', 'store/copy/'],
  }
}

const RULES: Readonly<Record<string, Rule>> = {
  'model/': { values: ['model/'] },
  'receive/': { values: ['receive/', 'model/', 'errors.ts'] },
  'queue/': { values: ['queue/', 'errors.ts'], types: ['model/'] },
  'store/': { values: ['store/', 'model/', 'errors.ts', 'within.ts'] },
  'store/sql/': { values: ['store/sql/', 'model/'] },
  'store/verify/': {
    values: ['store/verify/', 'store/sql/', 'store/body.ts', 'model/'],
  },
  'store/sqlite/': engineRule('store/sqlite/'),
  'store/postgres/': engineRule('store/postgres/'),
  'stream/': { values: ['stream/', 'model/'] },
  'metrics/': { values: ['metrics/', 'within.ts'] },
  'http/': {
    values: ['http/', 'receive/', 'model/', 'errors.ts', 'outage-log.ts', 'within.ts'],
    types: [
      'config.ts',
      'config-values.ts',
      'log.ts',
      'metrics/',
      'queue/',
      'store/store.ts',
      'stream/',
    ],
  },
  'config-values.ts': { values: [] },
  'config-settings.ts': { values: ['config-values.ts', 'store/database-url.ts'] },
  'config.ts': { values: ['config-settings.ts', 'errors.ts'] },
  'errors.ts': { values: [] },
  'outage-log.ts': { values: [], types: ['log.ts'] },
  'within.ts': { values: [] },
}

test('there is something to check', () => {
  assert.ok(files.length > 30)
  const imports = files.flatMap((file) => file.imports)
  assert.ok(imports.filter(isOurs).length > 100)
  for (const target of imports.filter(isOurs)) {
    assert.ok(
      files.some(({ path }) => path === target.target),
      target.target,
    )
  }
})

for (const [place, { values, types = [] }] of Object.entries(RULES)) {
  const allowed = [...values, ...types.map((name) => `types of ${name}`)].join(', ')
  test(`${place} imports of ours only: ${allowed || 'nothing'}`, () => {
    const inPlace = files.filter(({ path }) => within(path, [place]))
    assert.ok(inPlace.length > 0)
    for (const { path, imports } of inPlace) {
      for (const { target, typeOnly } of imports.filter(isOurs)) {
        const fine = within(target, values) || (typeOnly && within(target, types))
        assert.ok(fine, `${path} imports ${target}`)
      }
    }
  })
}

test('the model depends on nothing, not even on Node', () => {
  for (const { path, imports } of files.filter((file) => file.path.startsWith('model/'))) {
    assert.ok(imports.every(isOurs), path)
  }
})

test('only the one composition root knows the engine, the server and the queue together', () => {
  for (const { path, imports } of files) {
    const values = imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target)
    const root = ['store/open.ts', 'http/server.ts', 'queue/write-queue.ts', 'metrics/metrics.ts']
    for (const target of values.filter((name) => root.includes(name))) {
      assert.equal(path, 'service.ts', `${path} imports ${target}`)
    }
    if (!path.startsWith('cli/')) {
      assert.ok(!values.some((target) => target.startsWith('cli/')), `${path} imports the CLI`)
    }
  }
})

const CONFINED: Readonly<Record<string, readonly string[]>> = {
  'node:sqlite': ['store/sqlite/'],
  'node:worker_threads': ['store/sqlite/'],
  'node:http': ['http/'],
  'node:https': [],
  'node:child_process': [],
  'node:vm': [],
  fastify: ['http/'],
  '@fastify/swagger': ['http/'],
  typebox: ['http/'],
  'typebox/compile': ['http/'],
  pino: ['log.ts'],
  'pino-pretty': ['log.ts'],
  'prom-client': ['metrics/'],
  pg: ['store/postgres/'],
}

test('each package and each powerful module of Node is imported in its own place only', () => {
  for (const { path, imports } of files) {
    for (const { target } of imports) {
      const places = CONFINED[target]
      if (places !== undefined) assert.ok(within(path, places), `${path} imports ${target}`)
    }
    const others = imports.filter((item) => !isOurs(item) && !isNode(item))
    for (const { target } of others) assert.ok(target in CONFINED, `${path} imports ${target}`)
  }
})

test('the environment is read by the command line only', () => {
  for (const { path, text } of files.filter((file) => !file.path.startsWith('cli/'))) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.doesNotMatch(code, /process\s*\.\s*env|process\['env'\]/, path)
  }
})

test('one place compares secrets, keys and signatures, in constant time', () => {
  const comparing = files.filter(({ text }) => text.includes('timingSafeEqual('))
  assert.deepEqual(
    comparing.map(({ path }) => path),
    ['http/access.ts', 'receive/verify.ts'],
  )
})

test('nothing is skipped by a comment, and no timer is let go', () => {
  for (const { path, text } of files) {
    assert.doesNotMatch(text, /@ts-(ignore|expect-error|nocheck)|biome-ignore|\.unref\(/, path)
    assert.doesNotMatch(text, /\b(as|:)\s+any\b|<any>/, path)
  }
})

/** Names of the functions that the service defines on PostgreSQL. */
const OWN_FUNCTIONS = readdirSync(join(ROOT, 'store/postgres/migrations')).flatMap((file) =>
  [
    ...readFileSync(join(ROOT, 'store/postgres/migrations', file), 'utf8').matchAll(
      /^create (?:or replace )?function (\w+)/gm,
    ),
  ].map(([, name = '']) => name),
)
const OWN_CALL = new RegExp(String.raw`\b(?:${[...new Set(OWN_FUNCTIONS)].join('|')})\(`, 'g')

/** The text behind an open bracket, up to the one that closes it. */
function bracketed(text: string): string {
  let depth = 1
  for (let end = 0; end < text.length; end++) {
    if (text[end] === '(') depth++
    if (text[end] === ')' && --depth === 0) return text.slice(0, end)
  }
  return text
}

test('a parameter of a function of ours on PostgreSQL says its type, so that no other is called', () => {
  const calls = files.flatMap(({ path, text }) =>
    [...text.matchAll(OWN_CALL)].map(({ 0: name, index }) => ({
      path,
      name,
      given: bracketed(text.slice(index + name.length)),
    })),
  )
  assert.ok(calls.some(({ given }) => given.includes('$1::')))
  for (const { path, name, given } of calls) {
    assert.doesNotMatch(given, /\?|\$\d+(?![\d:])/, `${path}: ${name}${given})`)
  }
})

const EXPORTED = /^export (?:async )?(?:function\*?|class|const|type|interface) (\w+)/gm
/** Where a name may stand once each: for the same part of each engine, and what chooses between them. */
const COUNTERPARTS = ['store', 'store/sqlite', 'store/postgres']

test('an exported name means one thing, but for the same part of both engines', () => {
  const found = files.flatMap(({ path, text }) =>
    [...text.matchAll(EXPORTED)].map(([, name = '']) => ({ name, path })),
  )
  assert.ok(found.length > 500)
  for (const [name, places] of Map.groupBy(found, (item) => item.name)) {
    // A schema and the type that it describes have one name, in one file.
    const paths = [...new Set(places.map(({ path }) => path))]
    const folders = paths.map(dirname)
    const isOfEach = folders.every((folder) => COUNTERPARTS.includes(folder))
    const isOnePart = isOfEach && new Set(folders).size === folders.length
    assert.ok(paths.length === 1 || isOnePart, `${name} of ${paths.join(' and of ')}`)
  }
})

test('files are short: 90 lines in the middle, and none over 250 without a reason', () => {
  const lengths = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  assert.ok(median <= MEDIAN_LINES, `the median is ${median}`)
  const long = lengths.filter(({ lines }) => lines > MAX_LINES).map(({ path }) => path)
  assert.deepEqual(long, Object.keys(LONG_FILES).sort())
})

test('every file says on top which part it plays', () => {
  for (const { path, text } of files) assert.match(text, /^\/\/ \S/, path)
})
