import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Progress } from '../../../src/app/cli/progress.ts'

/** A progress on an output of its own, and the clock it goes by. */
function aProgress(t: TestContext, isTTY: boolean, columns = 100) {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  const written: string[] = []
  const output = { isTTY, columns, write: (text: string) => written.push(text) > 0 }
  const progress = new Progress('Sending', 'messages', output)
  const pass = (ms: number) => {
    now += ms
  }
  return { progress, written, pass }
}

describe('progress', () => {
  it('is a bar on a terminal, drawn over itself and taken away at the end', (t) => {
    const { progress, written, pass } = aProgress(t, true)
    progress.update(0, 200)
    pass(1000)
    progress.update(100, 200)
    progress.finish()
    assert.deepEqual(written.map(stripVTControlCharacters), [
      `\rSending ${'█'.repeat(15)}${'░'.repeat(15)} 100 of 200 messages, 100/s`,
      '\r',
    ])
  })

  for (const [columns, line] of [
    [66, `Sending ${'█'.repeat(15)}${'░'.repeat(15)} 100 of 200 messages, 100/s`],
    [65, 'Sending 100 of 200 messages, 100/s'],
    [35, 'Sending 100 of 200 messages, 100/s'],
    [20, 'Sending 100 of 200 '],
  ] as const) {
    it(`stays on one line of a terminal of ${columns} columns, and leaves the last one free`, (t) => {
      const { progress, written, pass } = aProgress(t, true, columns)
      progress.update(0, 200)
      pass(1000)
      progress.update(100, 200)
      assert.deepEqual(written.map(stripVTControlCharacters), [`\r${line}`])
    })
  }

  it('takes a terminal that does not know its width for one of the usual width', (t) => {
    const { progress, written, pass } = aProgress(t, true, 0)
    progress.update(0, 200)
    pass(1000)
    progress.update(100, 200)
    assert.match(written.join(''), /100 of 200 messages, 100\/s$/)
  })

  it('is a line every few seconds elsewhere', (t) => {
    const { progress, written, pass } = aProgress(t, false)
    progress.update(0, 50_000)
    pass(1000)
    progress.update(10_000, 50_000)
    pass(4000)
    progress.update(50_000, 50_000)
    progress.finish()
    assert.deepEqual(written, ['Sending 50,000 of 50,000 messages, 10,000/s\n'])
  })
})
