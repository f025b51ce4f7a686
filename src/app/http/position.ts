// A place in the sequence that a reader brings along.
import { AppError } from '../errors.ts'
import type { SequencePage } from '../model/event.ts'

/**
 * Throws AppError `position_unknown` where the sequence that `page` was read from ends before
 * `after`, as after a backup was restored or a standby took over that had not got everything: what
 * is committed there next would be passed over without a word.
 */
export function requirePosition(after: number, { last }: SequencePage): void {
  if (after > last) throw new AppError('position_unknown')
}
