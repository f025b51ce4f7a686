// Looks for secrets in whatever somebody may read, also in the forms that programs make of them.

/** Shorter than this, a piece in base64 is found everywhere. */
const LEAST_PIECE = 8

export type Leak = { readonly where: string; readonly secret: string }

/** Which of the secrets are in which of the texts. */
export function leaksIn(
  texts: ReadonlyMap<string, string>,
  secrets: Readonly<Record<string, string>>,
): readonly Leak[] {
  const leaks: Leak[] = []
  for (const [where, text] of texts) {
    const searched = text.toLowerCase()
    for (const [secret, value] of Object.entries(secrets)) {
      if (formsOf(value).some((form) => searched.includes(form))) leaks.push({ where, secret })
    }
  }
  return leaks
}

/** As it is, in a URL, in JSON, in hex and in base64, in lower case. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const url = new URL('http://host')
  url.password = value
  const forms = [value, encodeURIComponent(value), url.password, JSON.stringify(value).slice(1, -1)]
  return [...forms, bytes.toString('hex'), ...base64Of(bytes)].map((form) => form.toLowerCase())
}

/** In base64 a text looks in three ways, by where it begins; its ends depend on what is beside it. */
function base64Of(bytes: Buffer): readonly string[] {
  return [0, 1, 2]
    .map((skipped) => bytes.subarray(skipped))
    .map((rest) => rest.subarray(0, rest.length - (rest.length % 3)).toString('base64'))
    .filter((piece) => piece.length >= LEAST_PIECE)
}
