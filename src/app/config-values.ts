// The values that the text of a variable can have. Each is undefined where the text is none.

/** A key for reading, under a name for the log. */
export type ApiKey = { readonly name: string; readonly key: string }

/** A whole number within bounds. */
export function integer(text: string, least: number, most: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value >= least && value <= most ? value : undefined
}

/** One of a few words. */
export function oneOf<Value extends string>(
  text: string,
  values: readonly Value[],
): Value | undefined {
  return values.find((value) => value === text)
}

/** The names Python gives two of the levels, which deployments of the first service may still set. */
export function pythonLevel(text: string): string {
  if (text === 'warning') return 'warn'
  return text === 'critical' ? 'fatal' : text
}

/** true or false, in the usual spellings. */
export function boolean(text: string): boolean | undefined {
  const value = text.toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  return ['false', '0', 'no', 'off'].includes(value) ? false : undefined
}

/** Items separated by commas. */
export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** What a header can carry as it is, without blanks. */
const KEY = /^[\x21-\x7e]+$/

/** Pairs of a name and a key, separated by commas; all names different. */
export function apiKeys(text: string): readonly ApiKey[] | undefined {
  const keys: ApiKey[] = []
  for (const pair of list(text)) {
    const colon = pair.indexOf(':')
    const [name, key] = [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()]
    if (colon < 1 || !KEY.test(key) || keys.some((other) => other.name === name)) return undefined
    keys.push({ name, key })
  }
  return keys
}
