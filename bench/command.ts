// What a benchmark is on the command line: its help, its options and its exit code.
import { ENDED, FAILED, MISUSED, tell, UsageError, wantsHelp } from '../src/app/cli/command.ts'

const INTERRUPTED = 130

/** The last lines of every help. */
export const COMMON_HELP = `  -h, --help        Show this text.

Exit codes: 0 measured, 1 failed or measured something invalid, 2 wrong usage, 130 interrupted.
`

export type Benchmark<Options> = {
  /** The whole help text. */
  readonly help: string
  /** The options in the arguments. Throws UsageError. */
  readonly parse: (args: readonly string[]) => Options
  /** Measures and reports; resolves with whether what was measured is valid. */
  readonly run: (options: Options, args: readonly string[]) => Promise<boolean>
}

/** Runs a benchmark with the arguments of this process, and sets its exit code. */
export async function runBenchmark<Options>({ help, parse, run }: Benchmark<Options>) {
  // Through process.exit, so that the programs under measurement end with this one.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(INTERRUPTED))
  const args = process.argv.slice(2)
  if (wantsHelp(args)) {
    process.stdout.write(help)
    return
  }
  const options = parsed(parse, args)
  if (options === null) process.exitCode = MISUSED
  else process.exitCode = (await run(options, args)) ? ENDED : FAILED
}

function parsed<Options>(parse: Benchmark<Options>['parse'], args: readonly string[]) {
  try {
    return parse(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    tell(error.message)
    return null
  }
}

/** The whole number in the text of an option. Throws UsageError where it is none, or less than `least`. */
export function integer(name: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UsageError(`--${name} takes a whole number of at least ${least}.`)
}
