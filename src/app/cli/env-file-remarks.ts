// What in a .env has no effect, although somebody wrote it there.
import { parseEnv } from 'node:util'
import { SETTING_DOCS } from '../config.ts'
import { nearestOf } from './nearest.ts'

const SETTING_NAMES = SETTING_DOCS.map(({ name }) => name)
/** Read by docker compose, from the same file. */
const OF_DOCKER = /^(?:POSTGRES_PASSWORD$|COMPOSE_|DOCKER_)/
/** Of a line that is a piece of a value, as of a key, what stands before a = is not to be shown. */
const SHOWABLE = /^[A-Z][A-Z0-9_]*$/
/** What no name has. */
const MARK = '\0'

/** A sentence for each name that is not known and each line without a name. Shows no value. */
export function remarksOn(text: string): readonly string[] {
  const names = Object.keys(parseEnv(text))
  const unknown = names.filter((name) => !SETTING_NAMES.includes(name) && !OF_DOCKER.test(name))
  return [
    ...linesWithoutName(text).map((line) => `line ${line} of .env has no "=" and sets nothing`),
    ...unknown.map(unknownName),
  ]
}

/** The parser alone knows which lines belong to a value in quotes: there, a mark makes no name. */
function linesWithoutName(text: string): readonly string[] {
  const marked = text
    .split('\n')
    .map((line, index) => (/^\s*(?:#|$)|=/.test(line) ? line : `${MARK}${index + 1}=${line}`))
  return Object.keys(parseEnv(marked.join('\n')))
    .filter((name) => name.startsWith(MARK))
    .map((name) => name.slice(MARK.length))
}

function unknownName(name: string): string {
  const nearest = nearestOf(name.toUpperCase(), SETTING_NAMES)
  const shown = nearest !== null || SHOWABLE.test(name) ? name : 'a name in .env'
  const hint = nearest === null ? '' : `: is ${nearest} meant?`
  return `${shown} is no setting of this service and has no effect${hint}`
}
