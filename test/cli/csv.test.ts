import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CSV_HEADER, type CsvFields, csvLine } from '../../src/app/cli/csv.ts'
import { anyCharacter } from '../support/any-character.ts'
import { parseCsv } from '../support/csv.ts'
import { growthOf } from '../support/growth.ts'

const PHONE = '+14155550100'

/** Often what means something to CSV or to a spreadsheet. */
const aCell = fc.string({
  unit: fc.oneof(fc.constantFrom(...'=+-@\t\r\n\0 \'",;|％＝＋－＠\u00a0\ufeff'), anyCharacter),
  maxLength: 12,
})
const aMessage: fc.Arbitrary<CsvFields> = fc.record({
  messageId: aCell,
  from: fc.oneof(fc.constant(PHONE), aCell),
  to: fc.oneof(fc.constant(PHONE), aCell),
  ts: aCell,
  text: fc.option(aCell),
})

function cellsOf(message: CsvFields, raw: boolean): (string | null)[] {
  const [header, ...records] = parseCsv(CSV_HEADER + csvLine(message, { raw }))
  assert.deepEqual(header, ['message_id', 'from', 'to', 'ts', 'text'])
  assert.equal(records.length, 1)
  return records[0] ?? []
}

function textCell(text: string, raw = false): string | null | undefined {
  return cellsOf({ messageId: 'a', from: PHONE, to: PHONE, ts: 'b', text }, raw)[4]
}

describe('a CSV line', () => {
  it('raw, gives back every message as it was, null apart from empty', () => {
    fc.assert(
      fc.property(aMessage, (message) => {
        const { messageId, from, to, ts, text } = message
        assert.deepEqual(cellsOf(message, true), [messageId, from, to, ts, text])
      }),
    )
  })

  it('defused, has at most one apostrophe more in each cell, which can be told and taken away', () => {
    const isDefused = (cell: string) => cell.startsWith("'") && textCell(cell.slice(1)) === cell
    fc.assert(
      fc.property(aMessage, (message) => {
        const { messageId, from, to, ts, text } = message
        const undone = cellsOf(message, false).map((cell) =>
          cell !== null && isDefused(cell) ? cell.slice(1) : cell,
        )
        assert.deepEqual(undone, [messageId, from, to, ts, text])
      }),
    )
  })

  it('defused, never begins a cell with what a spreadsheet runs', () => {
    fc.assert(
      fc.property(aMessage, (message) => {
        for (const cell of cellsOf(message, false)) {
          if (cell !== PHONE) assert.doesNotMatch(cell ?? '', /^[=+\-@＝＋－＠\t\r\n\0]/)
        }
      }),
    )
  })

  const formulas = [
    ...['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '\nx', '\0x', '＝1', '＋1', '－1', '＠x'],
    ...[' =1', '\u00a0=1', '\ufeff=1', '\u200b=1', ' \t@x', "'=1", "''=1", "' =1", '+', '-'],
    ...['=cmd|/c calc!A1', '=HYPERLINK("http://x","y")', '+14155550100x', '+1415 5550100', '+0,1'],
  ]
  for (const text of formulas) {
    it(`defuses ${JSON.stringify(text)}, unless it is to be raw`, () => {
      assert.equal(textCell(text), `'${text}`)
      assert.equal(textCell(text, true), text)
    })
  }

  it('leaves everything else as it is', () => {
    for (const text of ['1+1=2', 'a', ' a', "'", "'a", '"=1"', '🎉', '#N/A', ' ', 'x\t=1']) {
      assert.equal(textCell(text), text)
    }
  })

  it('quotes what begins or ends with a blank, which some readers would take away', () => {
    for (const text of [' a', 'a ', '\u00a0a', 'a\u00a0']) {
      const message = { messageId: 'a', from: PHONE, to: PHONE, ts: 'b', text }
      assert.ok(csvLine(message, { raw: true }).endsWith(`,"${text}"\r\n`))
    }
  })

  it('takes time as it is long, also of nothing but apostrophes', () => {
    const write = (text: string) =>
      csvLine({ messageId: 'a', from: PHONE, to: PHONE, ts: 'b', text }, { raw: false })
    const growth = growthOf(4_000, (length) => "'".repeat(length), write)
    assert.ok(growth < 40, `eight times the length takes ${growth} times as long`)
  })

  it('leaves phone numbers alone where numbers belong, and only there', () => {
    const number = '+447700900123'
    const message = { messageId: number, from: number, to: `${number} `, ts: 'x', text: number }
    assert.deepEqual(cellsOf(message, false), [
      `'${number}`,
      number,
      `'${number} `,
      'x',
      `'${number}`,
    ])
  })
})
