// How a substring is found: by the trigrams that the index has of it, checked in each row.
import type { SearchCondition } from '../sql/conditions.ts'

/** Of a text that is folded already. */
export const searchCondition: SearchCondition = (folded) => ({
  clause: 'folded like ?',
  values: [`%${folded.replaceAll(/[\\%_]/g, '\\$&')}%`],
})
