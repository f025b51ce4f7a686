// Work in parts that are bounded by their bytes, whatever the number of items in them.

/** The items in their order, in parts of at most `most` bytes; one that is larger is a part alone. */
export function* partsBySize<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  most: number,
): Generator<Item[]> {
  let part: Item[] = []
  let held = 0
  for (const item of items) {
    const bytes = bytesOf(item)
    if (held + bytes > most && part.length > 0) {
      yield part
      part = []
      held = 0
    }
    part.push(item)
    held += bytes
  }
  if (part.length > 0) yield part
}
