// The entry of the process. CommonJS on purpose (see package.json beside it), without imports or
// types: a Node too old for TypeScript can still read this far and say what is wrong in one line.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `This service needs Node.js 24 or newer, and this is ${process.version}: start it with "npm start", which brings its own, or install a newer Node.js.`,
  )
  process.exit(78)
}
void import('./app/cli/main.ts').then((cli) => cli.main(process.argv.slice(2)))
