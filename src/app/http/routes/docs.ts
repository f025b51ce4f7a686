// The API's description, and two pages that show it. All files come from packages on this disk; the
// pages' policy lets a browser ask no other host.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

type Asset = { readonly path: string; readonly type: string; readonly load: () => Promise<string> }

const HTML = 'text/html; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'

// Both pages write styles into their elements; scripts come from files only.
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SWAGGER_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

const SWAGGER_START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
})
`

const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference</title>
<link rel="icon" href="data:,">
</head>
<body>
<redoc spec-url="/openapi.json" disable-telemetry="true"></redoc>
<script type="module" src="/redoc/redoc.standalone.js"></script>
</body>
</html>
`

const ASSETS: readonly Asset[] = [
  { path: '/docs', type: HTML, load: async () => SWAGGER_PAGE },
  { path: '/docs/start.js', type: SCRIPT, load: async () => SWAGGER_START },
  {
    path: '/docs/swagger-ui-bundle.js',
    type: SCRIPT,
    load: () => packaged('@fastify/swagger-ui', 'static/swagger-ui-bundle.js'),
  },
  {
    path: '/docs/swagger-ui.css',
    type: STYLE,
    load: () => packaged('@fastify/swagger-ui', 'static/swagger-ui.css'),
  },
  { path: '/redoc', type: HTML, load: async () => REDOC_PAGE },
  {
    path: '/redoc/redoc.standalone.js',
    type: SCRIPT,
    load: () => packaged('redoc', 'bundles/redoc.standalone.js'),
  },
]

/** Adds `/openapi.json`, `/docs` and `/redoc` to `app`, which has @fastify/swagger registered. */
export function docsRoutes(app: FastifyInstance): void {
  app.get('/openapi.json', { config: { access: 'read' }, schema: { hide: true } }, async () =>
    app.swagger(),
  )
  for (const { path, type, load } of ASSETS) {
    app.get(path, { config: { access: 'read' }, schema: { hide: true } }, async (_request, reply) =>
      reply
        .header('content-security-policy', PAGE_POLICY)
        .type(type)
        .send(await load()),
    )
  }
}

function packaged(name: string, file: string): Promise<string> {
  const manifest = import.meta.resolve(`${name}/package.json`)
  return readFile(fileURLToPath(new URL(file, manifest)), 'utf8')
}
