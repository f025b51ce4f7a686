// A strict reader of CSV as RFC 4180 describes it, to check what the service writes.

/** The records of `text`; a cell that is empty without quotes is null. Throws where it is no CSV. */
export function parseCsv(text: string): (string | null)[][] {
  const records: (string | null)[][] = []
  let record: (string | null)[] = []
  // A cell, in quotes or without any special character, and what ends it.
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(text)
    if (match === null) throw new Error(`This is no CSV at character ${at}.`)
    const [, inQuotes, plain, end] = match
    record.push(inQuotes === undefined ? plain || null : inQuotes.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(record)
    record = []
  }
  return records
}
