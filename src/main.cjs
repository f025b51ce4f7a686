// The entry of the process. In CommonJS and without types, so that a Node too old for TypeScript can
// read it and say so in one line, and so that a start from cached code needs no compiler for types.
const [major, minor] = process.versions.node.split('.').map(Number)
// From 24.15 on, the SQLite that comes with it is one that can be trusted.
if (major < 24 || (major === 24 && minor < 15)) {
  const args = process.argv.slice(2)
  const words = args.map((arg) =>
    /^[\w./:=@%+,-]+$/.test(arg) ? arg : `'${arg.replace(/'/g, "'\\''")}'`,
  )
  const command = ['npm exec -- node src/main.ts'].concat(args.length > 0 ? words : '--help')
  console.error(
    `This service needs Node.js 24.15 or newer, and this is ${process.version}. Install one, or use the one that "npm ci" has brought: ${args[0] === 'serve' ? 'npm start' : command.join(' ')}`,
  )
  process.exit(78)
}
// Caches compiled code, which halves the time of a start and spares every thread the compiler. Threads
// find it through the environment. It lies beside the packages: who can write there can run code anyway.
const { join } = require('node:path')
process.env['NODE_COMPILE_CACHE'] ??= join(__dirname, '../node_modules/.cache/compiled')
require('node:module').enableCompileCache(process.env['NODE_COMPILE_CACHE'])
void import('./app/cli/main.ts').then((cli) => cli.main(process.argv.slice(2)))
