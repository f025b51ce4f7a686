import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge } from '../../../bench/verdict.ts'

const target = { what: 'ingest', unit: '/s', digits: 0 }

describe('the verdict on a measurement', () => {
  it('compares a ratio with its least and its most', () => {
    const verdicts = [
      { value: 60, by: 100, atLeast: 0.6 },
      { value: 59, by: 100, atLeast: 0.6 },
      { value: 150, by: 100, atMost: 1.5 },
      { value: 151, by: 100, atMost: 1.5 },
    ].map((numbers) => judge({ ...target, ...numbers }).verdict)
    assert.deepEqual(verdicts, ['holds', 'missed: 0.590 of 0.6', 'holds', 'missed: 1.51 of 1.5'])
  })

  it('compares a number that is no ratio', () => {
    const outcomes = [250, 251].map((value) => judge({ ...target, value, unit: 'MB', atMost: 250 }))
    assert.deepEqual(
      outcomes.map(({ measured, target, state }) => ({ measured, target, state })),
      [
        { measured: '250 MB', target: '≤ 250 MB', state: 'holds' },
        { measured: '251 MB', target: '≤ 250 MB', state: 'missed' },
      ],
    )
  })

  it('takes nothing that was not measured for held', () => {
    const none = [
      judge({ ...target, value: null, by: 100, atLeast: 1 }),
      judge({ ...target, value: 100, by: null, atLeast: 1 }),
      judge({ ...target, value: 100, by: 1, atLeast: 1, skipped: 'not measured' }),
    ]
    assert.deepEqual(
      none.map(({ state, verdict }) => [state, verdict]),
      [
        ['none', 'INVALID'],
        ['none', 'INVALID'],
        ['none', 'not measured'],
      ],
    )
  })
})
