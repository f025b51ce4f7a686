// What the search part looks for: texts planted so that each has exactly as many hits as wanted.

/** How many messages hold each rare text. */
export const RARE_HITS = 20

/** Each is in twenty messages and nowhere else; parts of them are in many. */
export const RARE_TEXTS: readonly string[] = [
  'order 77-AX-4471',
  'Marlene Sternberg',
  'quittenmarmelade',
  'calle del pedregal',
  'заказать билеты',
]

const PLANTED = RARE_HITS * RARE_TEXTS.length

/** The rare text that belongs into message `index` of `total`, spread evenly; null for most. */
export function rareTextFor(index: number, total: number): string | null {
  const step = Math.floor(total / PLANTED)
  const place = index / step
  if (!Number.isInteger(place) || place >= PLANTED) return null
  return RARE_TEXTS[place % RARE_TEXTS.length] ?? null
}
