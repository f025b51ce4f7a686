// Messages that were edited and revoked in every order.
import assert from 'node:assert/strict'
import type { Intake } from '../../src/app/model/event.ts'
import { anEdit, aRevocation, aText, change } from './cloud-api.ts'
import { intakeWith } from './cloud-intake.ts'

type Fields = Readonly<Record<string, unknown>>

export function editOf(original: string, body: string, at = 1736935300): Fields {
  return anEdit(original, body, { timestamp: `${at}` })
}

/** Requests of one item each, for five messages whose ids say what became of them. */
export const EDITED_MESSAGES: readonly Intake[] = [
  aRevocation('revoked'),
  aText({ id: 'revoked' }),
  editOf('edited', 'Edited early'),
  aText({ id: 'edited' }),
  editOf('edited', 'Edited last', 1736935400),
  editOf('edited', 'Edited before', 1736935350),
  aText({ id: 'filled', type: 'media_placeholder', text: undefined }),
  editOf('filled', 'Edited unseen'),
  aText({ id: 'filled', text: { body: 'Content' } }),
  aText({ id: 'both' }),
  editOf('both', 'Edited once'),
  aRevocation('both'),
  editOf('both', 'Edited too late', 1736935500),
  aText({ id: 'untouched' }),
].map((item) => intakeWith(change({ messages: [item] })))

/**
 * Loses and makes up changes of these messages. `folded` gives the column with the folded text its new
 * value, where the engine has one.
 */
export function wronglyEdited(folded: (text: string) => string = () => ''): string {
  return `
    update messages set edited = 0, text = original_text, original_text = null
      ${folded('hello')} where message_id = 'revoked';
    update messages set text = 'Edited before' ${folded('edited before')}
      where message_id = 'edited';
    update messages set edited = 0, text = 'Content', original_text = null
      ${folded('content')} where message_id = 'filled';
    update messages set edited = 1 where message_id = 'both';
    update messages set edited = 1, original_text = text, text = 'Made up'
      ${folded('made up')} where message_id = 'untouched'`
}

/** Asserts that verify names just that, with the column that is wrong. */
export function assertWronglyEdited(stdout: string): void {
  const lines = stdout.trimEnd().split('\n').slice(0, -1)
  const found = lines.map((line) =>
    /^row \d+ \("(\w+)"\): the column (\w+) is not what its edits say\.$/.exec(line)?.slice(1),
  )
  const expected = [
    ['both', 'edited'],
    ['edited', 'text'],
    ['filled', 'edited'],
    ['filled', 'text'],
    ['revoked', 'edited'],
    ['revoked', 'text'],
    ['untouched', 'edited'],
  ]
  assert.deepEqual(found.toSorted(), expected, stdout)
}
