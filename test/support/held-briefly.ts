// Scenes in which a test itself holds up the writer of a service.

/** Much less than the service waits for a writer that is held, on either engine, in ms. */
export const HELD_MS = 1000
const TRIES = 5

/**
 * What is seen in a scene. Where that held the writer for nearly as long as the service waits for it,
 * because the machine stood still, it is played again: it refuses then, which is not what such a scene
 * is about. The last try counts, however long it took.
 */
export async function heldBriefly<Seen extends { readonly heldMs: number }>(
  scene: () => Promise<Seen>,
): Promise<Seen> {
  let seen = await scene()
  for (let attempt = 1; attempt < TRIES && seen.heldMs >= HELD_MS; attempt++) seen = await scene()
  return seen
}
