import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameInVcard } from '../../../src/app/receive/cloud-api/vcard.ts'
import { growthOf } from '../../support/growth.ts'

describe('nameInVcard', () => {
  for (const [vcard, name] of [
    ['BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Ada\r\nFN:Ada Doe\r\nEND:VCARD', 'Ada Doe'],
    ['FN;CHARSET=UTF-8:Ada', 'Ada'],
    ['item1.FN:Ada', 'Ada'],
    ['fn:Ada', 'Ada'],
    ['FN:A\r\n da', 'Ada'],
    ['FN:Doe\\, Ada\\nMath', 'Doe, Ada Math'],
    ['FN;X:\nFN:Ada', null],
    ['FN;X\nFN:Ada', 'Ada'],
    ['FN\nN:Ada', null],
    ['', null],
  ] as const) {
    it(`finds ${name} in ${JSON.stringify(vcard)}`, () => {
      assert.equal(nameInVcard(vcard), name)
    })
  }

  // Lines that JavaScript's expressions know beside those of a vCard: each is a beginning.
  for (const unit of ['FN;\u2028', 'FN;\u2029', 'a.FN;x\u2028', 'FN;\n', 'a-a.', '\r\n ', 'FN: ']) {
    it(`takes time as it is long, of ${encodeURIComponent(unit)} again and again`, () => {
      const growth = growthOf(4_000, (size) => unit.repeat(size), nameInVcard)
      assert.ok(growth < 24, `eight times the length takes ${growth} times as long`)
    })
  }
})
