// The command line: finds the command, and turns its failure into a sentence and an exit code.
import { readFileSync } from 'node:fs'
import { ConfigurationError } from '../errors.ts'
import { fileFault } from '../store/sqlite/faults.ts'
import { backupCommand } from './backup.ts'
import {
  type Command,
  ENDED,
  FAILED,
  MISUSED,
  print,
  tell,
  UsageError,
  wantsHelp,
} from './command.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { exportCommand } from './export.ts'
import { migrateStoreCommand } from './migrate-store.ts'
import { sendCommand } from './send.ts'
import { serveCommand } from './serve-command.ts'
import { signCommand } from './sign.ts'
import { simulateCommand } from './simulate.ts'
import { verifyCommand } from './verify.ts'

const COMMANDS: readonly Command[] = [
  serveCommand,
  sendCommand,
  signCommand,
  simulateCommand,
  doctorCommand,
  demoCommand,
  verifyCommand,
  backupCommand,
  exportCommand,
  migrateStoreCommand,
]

const WIDTH = Math.max(...COMMANDS.map(({ name }) => name.length))

const HELP = `Usage: node src/main.ts <command> [options]

Commands:
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(WIDTH)}  ${summary}`).join('\n')}

Options:
  -h, --help     Show this text; after a command, what that command does.
      --version  Show the version.

The configuration comes from the environment and from .env in the working directory;
the environment wins. README.md lists every variable.

Exit codes: 0 ended as asked, 1 failed or found something wrong, 2 wrong usage or
configuration, 78 Node.js is older than 24.15. Results go to stdout, everything else to stderr.`

const PACKAGE = new URL('../../../package.json', import.meta.url)

/** Runs the command in `args` (without the node binary and the script). Sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args
  // What nobody reads, or no disk has room for, is lost: least of all may it end a service.
  process.stderr.on('error', () => {})
  try {
    process.exitCode = await run(name, rest)
  } catch (error) {
    const misused = error instanceof UsageError || error instanceof ConfigurationError
    tell(sentence(error))
    process.exitCode = misused ? MISUSED : FAILED
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const ofDatabase = 'code' in error && error.code === 'ERR_SQLITE_ERROR'
  return ofDatabase ? `The database can't be used: ${fileFault(error)}` : error.message
}

async function run(name: string | undefined, rest: readonly string[]): Promise<number> {
  if (name === undefined) throw new UsageError('There is no command; try --help.')
  if (name === '--help' || name === '-h') return show(HELP)
  if (name === '--version') return show(version())
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (command === undefined) throw new UsageError(`There is no command "${name}"; try --help.`)
  return wantsHelp(rest) ? show(command.help.trim()) : await command.run(rest)
}

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version
}

function show(text: string): number {
  print(text)
  return ENDED
}
