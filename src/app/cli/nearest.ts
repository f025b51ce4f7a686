// The name that somebody may have meant who wrote another one.

/** More changes than that make another word. */
const MOST_CHANGES = 2
/** And so do as many in a short one: for each there have to be so many characters. */
const CHARACTERS_EACH = 3

/** The one of `names` that a few changes make of `name`; null where none is near. */
export function nearestOf(name: string, names: readonly string[]): string | null {
  const most = Math.min(MOST_CHANGES, Math.floor(name.length / CHARACTERS_EACH))
  const [nearest] = names
    .map((candidate) => ({ candidate, changes: changesBetween(name, candidate) }))
    .filter(({ changes }) => changes <= most)
    .sort((one, other) => one.changes - other.changes)
  return nearest?.candidate ?? null
}

/** Levenshtein's distance: characters to insert, remove or replace. */
function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, length) => length)
  for (const [index, character] of [...one].entries()) {
    const next = [index + 1]
    for (const [column, wanted] of [...other].entries()) {
      const replaced = (row[column] ?? 0) + (character === wanted ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
