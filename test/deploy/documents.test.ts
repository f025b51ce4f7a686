// What the documents say, against what is so.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, describe, test } from 'node:test'
import { readConfig, SETTING_DOCS } from '../../src/app/config.ts'
import { createLogTo } from '../../src/app/log.ts'
import { startService } from '../../src/app/service.ts'
import { ROOT, readRepositoryFile, repositoryFiles } from './repository.ts'

const readme = readRepositoryFile('README.md')

/** The table of settings as the README should have it. */
function configurationTable(): string {
  const rows = SETTING_DOCS.map(({ name, fallback, description }) => {
    const value = fallback === '' ? 'none' : `\`${fallback}\``
    return `| \`${name}\` | ${value} | ${description.replaceAll('|', '\\|')} |`
  })
  return ['| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** What a new service answers here. */
async function answerOf(path: string): Promise<string> {
  const environment = { DATABASE_URL: 'sqlite://', PORT: '0', READ_ACCESS: 'open' }
  const log = createLogTo({ write: () => {} }, 'silent')
  const service = await startService(readConfig({ ...environment, HOST: '127.0.0.1' }), log)
  try {
    return await (await fetch(`http://127.0.0.1:${service.address.port}${path}`)).text()
  } finally {
    await service.close()
  }
}

test('what the guide says to watch is there to be watched', async () => {
  const guide = readRepositoryFile('docs/deployment.md')
  const [section = ''] = /^## What to watch$.*?(?=^## )/ms.exec(guide) ?? []
  const exposed = await answerOf('/metrics')
  const metrics = [...section.matchAll(/\b[a-z_]+_(?:total|bucket|bytes)\b/g)].map(([name]) => name)
  assert.ok(metrics.length > 5)
  for (const metric of metrics) {
    assert.match(exposed, new RegExp(`^# TYPE ${metric.replace('_bucket', '')} `, 'm'))
  }
  const results = [...section.matchAll(/webhook_requests_total\{result="\w+"\}/g)]
  for (const [series] of results) assert.ok(exposed.includes(`\n${series} `), series)
})

describe('README.md', () => {
  test('has the table of all settings', () => {
    const table = configurationTable()
    assert.ok(readme.includes(`\n${table}\n`), `The table should be:\n\n${table}\n`)
  })

  test('names every route and no other', async () => {
    const { paths } = JSON.parse(await answerOf('/openapi.json')) as {
      paths: Record<string, object>
    }
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const pages = ['GET /docs', 'GET /openapi.json', 'GET /redoc']
    const named = [...readme.matchAll(/^\| `([A-Z]+ \/\S*)` \|/gm)].map(([, route]) => route)
    assert.deepEqual(named.toSorted(), [...described, ...pages].toSorted())
  })

  test('names every command of the command line', () => {
    const help = execFileSync(process.execPath, [join(ROOT, 'src/main.ts'), '--help'])
    const [, listed = ''] = /Commands:\n((?: {2}.+\n)+)/.exec(help.toString()) ?? []
    const commands = [...listed.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)
    const named = [...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)
    assert.ok(commands.length > 0)
    assert.deepEqual(named, commands)
  })

  test('gives the two commands', () => {
    assert.match(readme, /^npm ci && npm start$/m)
    assert.match(readme, /^npm ci && npm test$/m)
  })
})

describe('.env.example', () => {
  test('names every setting, each with its default', () => {
    const lines = readRepositoryFile('.env.example').split('\n')
    const named = lines.flatMap((line) => {
      const [, name, value] = /^#?([A-Z_]+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value]]
    })
    const settings = SETTING_DOCS.map(({ name, fallback }) => [name, fallback])
    assert.deepEqual(named.toSorted(), settings.toSorted())
  })

  test('is a configuration that the service takes', () => {
    const lines = readRepositoryFile('.env.example').split('\n')
    const pairs = lines.flatMap((line) => {
      const [, name, value] = /^#?([A-Z_]+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value]]
    })
    assert.deepEqual(readConfig(Object.fromEntries(pairs)), readConfig({}))
  })
})

describe('the documents', () => {
  const documents = repositoryFiles().filter((file) => file.endsWith('.md'))

  for (const document of documents) {
    test(`${document} links to files that are there`, () => {
      const text = readRepositoryFile(document).replace(/^```.*?^```$/gms, '')
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
      const missing = links
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#')
          const file = path === '' ? document : join(dirname(document), path)
          if (!existsSync(join(ROOT, file))) return true
          return anchor !== undefined && !anchorsOf(readRepositoryFile(file)).includes(anchor)
        })
      assert.deepEqual(missing, [])
    })
  }

  test('name files of the source and the tests that are there', () => {
    const files = repositoryFiles()
    const name = /`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|cjs|sql|json|ya?ml|cfg))`/g
    const named = documents.flatMap((document) => {
      const text = readRepositoryFile(document).replace(/^```.*?^```$/gms, '')
      return [...text.matchAll(name)].map(([, file = '']) => file)
    })
    assert.ok(named.length > 50)
    const isThere = (file: string) => files.some((known) => `/${known}`.endsWith(`/${file}`))
    assert.deepEqual(
      named.filter((file) => !isThere(file)),
      [],
    )
  })

  test('each decision fits on a page and says its context, its choice and its price', () => {
    const decisions = documents.filter((file) => file.startsWith('docs/decisions/'))
    assert.ok(decisions.length > 0)
    for (const file of decisions) {
      const text = readRepositoryFile(file)
      assert.ok(text.split('\n').length <= 41, `${file} is longer than 40 lines`)
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
      assert.deepEqual(headings, ['Context', 'Choice', 'Price'], file)
    }
  })

  test('the report of the faults begins with its sums and ends with every test, as it is written', () => {
    const headingsIn = (text: string) =>
      [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
    const report = readRepositoryFile('docs/reliability.md')
    const [sums = '', ...parts] = report.split(/^## /m)
    for (const part of ['| Fault | Trials | Rate below |', 'What this does not show:']) {
      assert.ok(sums.includes(part), part)
    }
    assert.match(parts.at(-1) ?? '', /^\| Test \| Result \| Seconds \|$/m)
    assert.deepEqual(headingsIn(report), headingsIn(readRepositoryFile('test/faults/main.ts')))
  })

  test('the change log has a heading for what is not released yet', () => {
    assert.match(readRepositoryFile('CHANGELOG.md'), /^## Unreleased$/m)
  })
})

/** The anchors that the headings of a Markdown text get. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('what is installed', () => {
  type Locked = { resolved?: string; hasInstallScript?: boolean }
  let text: string
  let packages: Record<string, Locked>
  let manifest: { allowScripts: Record<string, boolean>; scripts: Record<string, string> }

  before(() => {
    text = readRepositoryFile('package-lock.json')
    packages = JSON.parse(text).packages
    manifest = JSON.parse(readRepositoryFile('package.json'))
  })

  test('the lockfile names no address, of a registry or of anything else', () => {
    assert.deepEqual(
      Object.values(packages).filter(({ resolved }) => resolved !== undefined),
      [],
    )
    assert.doesNotMatch(text, /registry|git\+|"file:/)
  })

  test('package.json says of each package with a script whether that may run', () => {
    const withScript = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
    assert.deepEqual(
      withScript.filter((name) => !(name in manifest.allowScripts)),
      [],
    )
  })

  test('nothing runs when the repository itself is installed', () => {
    const lifecycle = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']
    assert.deepEqual(
      lifecycle.filter((name) => name in manifest.scripts),
      [],
    )
  })
})
