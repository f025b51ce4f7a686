// The entry of the process. CommonJS, and no TypeScript: a Node too old for that can still read this
// far and say what is wrong in one line, and one that is not needs no compiler where nothing changed.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `This service needs Node.js 24 or newer, and this is ${process.version}: start it with "npm start", which brings its own, or install a newer Node.js.`,
  )
  process.exit(78)
}
// Compiled code is kept between starts: they take half the time, and no thread needs the compiler.
// Threads learn of it from the environment. Beside the packages, whoever can write may run code.
const { join } = require('node:path')
process.env['NODE_COMPILE_CACHE'] ??= join(__dirname, '../node_modules/.cache/compiled')
require('node:module').enableCompileCache(process.env['NODE_COMPILE_CACHE'])
void import('./app/cli/main.ts').then((cli) => cli.main(process.argv.slice(2)))
