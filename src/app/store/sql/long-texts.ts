// Rows of lists. A body of megabytes may become one row, so their long texts are read only when it is
// known which rows fit on a page: most pages have none, and are read as if there were no such thing.
import { partsBySize } from './parts.ts'

/** What the rows of a page hold, unless the first one alone is larger. Bytes. */
const PAGE_BYTES = 8 * 1024 * 1024
/** Longer texts are left out at first: longer than what people can write. Bytes. */
const LONG_BYTES = 16 * 1024

/** A row of a list, with the bytes of its texts: those over `LONG_BYTES` are null. */
export type Listed<Row> = Row & { readonly seq: number; readonly held: number }
/** A row of the texts alone, under their own names. */
export type Texts = { readonly seq: number }

/** Two columns of texts and `held`, for a row of a list. */
export function listedTexts(one: string, other: string): string {
  const short = (name: string) =>
    `case when octet_length(${name}) <= ${LONG_BYTES} then ${name} end as ${name}`
  const bytes = (name: string) => `coalesce(octet_length(${name}), 0)`
  return `${short(one)}, ${short(other)}, ${bytes(one)} + ${bytes(other)} as held`
}

/** As many of the rows, in their order, as fit on a page. */
export function fittingOf<Row extends Listed<unknown>>(rows: readonly Row[]): readonly Row[] {
  const [first = []] = partsBySize(rows, ({ held }) => held, PAGE_BYTES)
  return first
}

/**
 * As many of the rows as fit on a page of up to `limit`, and whether there may be more behind them,
 * where no more than `limit` of a kind were read.
 */
export function partOf<Row extends Listed<unknown>>(found: readonly Row[], limit: number) {
  const rows = fittingOf(found.slice(0, limit))
  return { rows, more: rows.length === limit || rows.length < found.length }
}

/** The numbers of rows whose texts may have been left out. */
export function longOf(rows: readonly Listed<unknown>[]): number[] {
  return rows.filter(({ held }) => held > LONG_BYTES).map(({ seq }) => seq)
}

/** The rows with all their texts. */
export function withTexts<Row extends Listed<unknown>>(
  rows: readonly Row[],
  texts: readonly Texts[],
): readonly Row[] {
  const bySeq = new Map(texts.map((each) => [each.seq, each]))
  return rows.map((row) => ({ ...row, ...bySeq.get(row.seq) }))
}
