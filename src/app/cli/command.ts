// What a command is, and what all of them share: options, exit codes, output.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { forOutput } from './terminal.ts'

/** One command of the command line. */
export type Command = {
  readonly name: string
  /** A few words for the list of commands. */
  readonly summary: string
  /** The whole help text. */
  readonly help: string
  /** Runs with the arguments after the name; resolves with the exit code of the process. */
  run(args: readonly string[]): Promise<number>
}

/** Ended as asked. */
export const ENDED = 0
/** Failed, or found something wrong. */
export const FAILED = 1
/** Wrong usage or configuration: nothing was begun. */
export const MISUSED = 2

/** A command line that can't be understood or must not be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * The options in `args`, and at most one argument beside them where `argument` names it. Throws
 * UsageError for anything else.
 */
export function parseOptions<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  argument?: string,
) {
  const { values, positionals } = parse(args, options)
  const [first, second] = positionals
  const surplus = argument === undefined ? first : second
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one argument too many.`)
  return { values, argument: first }
}

/** Exactly the arguments that `names` names. Throws UsageError for options, and for more or fewer. */
export function parseArguments(args: readonly string[], names: readonly string[]): string[] {
  const { positionals } = parse(args, {})
  const missing = names[positionals.length]
  if (missing !== undefined) throw new UsageError(`There is no ${missing}; try --help.`)
  const surplus = positionals[names.length]
  if (surplus !== undefined) throw new UsageError(`"${surplus}" is one argument too many.`)
  return positionals
}

function parse<Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    // The first sentence says what is wrong; the rest is advice about arguments nobody meant.
    const [sentence] = (error as Error).message.split(/\.? To specify a positional/)
    throw new UsageError(`${sentence?.replaceAll('\n', ' ').replace(/\.?$/, '')}; try --help.`)
  }
}

export type NumberRange = { readonly least: number; readonly most: number; readonly whole: boolean }

/** The number in the text of an option; undefined where the option was not given. */
export function numberOption(
  name: string,
  text: string | undefined,
  { least, most, whole }: NumberRange,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d{1,12}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
  const kind = whole ? 'a whole number' : 'a number'
  throw new UsageError(`--${name} should be ${kind} from ${least} to ${most}.`)
}

/** The option's text where it is one of `choices`. */
export function choiceOption<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((candidate) => candidate === text)
  if (choice !== undefined) return choice
  throw new UsageError(`--${name} should be ${choices.join(' or ')}.`)
}

let guarded = false

/**
 * Writes a line of results to stdout. A reader that has gone away is no failure; whatever else
 * keeps them from being written ends the process.
 */
export function print(line: string): void {
  if (!guarded) {
    guarded = true
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      tell(`The results can't be written (${error.code}).`)
      process.exit(FAILED)
    })
  }
  process.stdout.write(forOutput(`${line}\n`, process.stdout))
}

/** Whether help is asked for, wherever among the options. */
export function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.includes('--help') || options.includes('-h')
}

/** Says something to the person at the terminal, away from the results. */
export function tell(line: string): void {
  process.stderr.write(forOutput(`${line}\n`, process.stderr))
}

/** Text from outside as it may stand in a line of ours: in quotes, and nothing in it hidden. */
export function quoted(text: string): string {
  return visible(JSON.stringify(text))
}

/** Escapes what would move a terminal's cursor, end the line or turn the writing around. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** A number for people: 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

/** So many of a thing, for people: `1 message`, `2 messages`. */
export function counted(value: number, one: string, more = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : more}`
}
