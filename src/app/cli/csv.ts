// Messages as CSV (RFC 4180), safe to open in a spreadsheet.
import type { Message } from '../model/message.ts'

/** What has a column. */
export type CsvFields = Pick<Message, 'messageId' | 'from' | 'to' | 'ts' | 'text'>

export type CsvOptions = {
  /** Leave cells that a spreadsheet would run as formulas as they are. */
  readonly raw: boolean
}

/** The header line. */
export const CSV_HEADER = 'message_id,from,to,ts,text\r\n'

const PHONE_NUMBER = /^\+[0-9]{2,15}$/
// Spreadsheets skip blanks before a formula, and take the wide signs for the plain ones. A cell
// that would look the same once it is defused is defused too: so one apostrophe can be taken away.
const FORMULA = /^(?:'*[\t\r\n\0]|[\s\p{Cc}\p{Cf}']*[=+\-@＝＋－＠])/u

/** The line of one message. A text that is null is nothing, an empty one is "". */
export function csvLine({ messageId, from, to, ts, text }: CsvFields, { raw }: CsvOptions): string {
  const safe = (value: string) => (raw ? value : defused(value))
  const number = (value: string) => (PHONE_NUMBER.test(value) ? value : safe(value))
  const cells = [
    safe(messageId),
    number(from),
    number(to),
    safe(ts),
    text === null ? null : safe(text),
  ]
  return `${cells.map(cell).join(',')}\r\n`
}

/** A cell that a spreadsheet would run as a formula, with an apostrophe before it. */
function defused(value: string): string {
  return FORMULA.test(value) ? `'${value}` : value
}

function cell(value: string | null): string {
  if (value === null) return ''
  return value === '' || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}
