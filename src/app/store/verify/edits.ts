// What a message says now against the edits and revocations of it.
import { EDITED } from '../sql/edits.ts'
import type { MessageToCheck } from './messages.ts'
import { nameOf, type Report } from './verification.ts'

/** A message beside the edit or revocation that counts (LATEST_EDIT); null where there is none. */
export type EditedToCheck = MessageToCheck & {
  readonly edited_by: 'edit' | 'revoke' | null
  readonly edited_text: string | null
}

/** Reports where it is not what that event made of it. Who was never edited says what the body says. */
export function checkEdited(row: EditedToCheck, report: Report): void {
  const { edited_by, edited_text } = row
  if (row.edited !== (edited_by === null ? 0 : EDITED[edited_by])) {
    report(`${nameOf(row)}: the column edited is not what its edits say.`)
  }
  if (edited_by === null || row.text === edited_text) return
  report(`${nameOf(row)}: the column text is not what its edits say.`)
}
