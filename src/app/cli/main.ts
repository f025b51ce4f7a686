// The command line: finds the command, and turns its failure into a sentence and an exit code.
import { parseArgs } from 'node:util'
import { ConfigurationError } from '../errors.ts'
import { serve } from './serve.ts'

const HELP = `Usage: node src/main.ts <command> [options]

Commands:
  serve          Run the service until SIGTERM or SIGINT.
    --init       First write .env with a random WEBHOOK_SECRET where there is neither
                 a .env nor a WEBHOOK_SECRET, read without a key from this machine
                 (READ_ACCESS=local) unless told otherwise, and print a signed curl.

Options:
  -h, --help     Show this text.

The configuration comes from the environment and from .env in the working directory;
the environment wins. README.md lists every variable.

Exit codes: 0 ended as asked, 1 failed, 2 wrong usage or configuration.
`

const FAILED = 1
const MISUSED = 2

/** Runs the command in `args` (without the node binary and the script). Sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    const { values, positionals } = parse(args)
    if (values.help === true) {
      process.stdout.write(HELP)
      return
    }
    const [command, ...rest] = positionals
    if (command !== 'serve' || rest.length > 0) throw new UsageError(usageOf(command, rest))
    process.exitCode = await serve({ init: values.init === true })
  } catch (error) {
    const misused = error instanceof UsageError || error instanceof ConfigurationError
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = misused ? MISUSED : FAILED
  }
}

/** A command line that can't be understood. */
class UsageError extends Error {
  override readonly name = 'UsageError'
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, init: { type: 'boolean' } },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nTry --help.`)
  }
}

function usageOf(command: string | undefined, rest: readonly string[]): string {
  if (command === undefined) return HELP.trimEnd()
  const unknown = command === 'serve' ? rest.join(' ') : command
  return `There is no command "${unknown}". Try --help.`
}
