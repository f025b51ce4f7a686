import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fold } from '../../../src/app/model/fold.ts'
import { createSearchIndex, trigramQuery } from '../../../src/app/store/sqlite/search-index.ts'
import { aText, partOf } from '../../support/texts.ts'

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

/** Whether the real index answers `query` with a text it holds alone. */
function indexHas(folded: string, query: string): boolean {
  const database = new DatabaseSync(':memory:')
  createSearchIndex(database, 'test')
  database.prepare('insert into search (rowid, folded) values (1, ?)').run(folded)
  const row = database.prepare('select rowid from search where search match ?').get(query)
  database.close()
  return row !== undefined
}

/** The phrases of a query, without their quotes. */
function phrases(query: string | null): string[] {
  assert.ok(query !== null)
  return query.split(' AND ').map((phrase) => phrase.slice(1, -1).replaceAll('""', '"'))
}

describe('trigramQuery', () => {
  it('asks for nothing under three code points', () => {
    for (const text of ['', 'a', 'ab', '🎉', '🎉🎉', 'i\u0307', '""']) {
      assert.equal(trigramQuery(text), null)
    }
  })

  it('asks for every trigram of a short text, once', () => {
    assert.equal(trigramQuery('abc'), '"abc"')
    assert.equal(trigramQuery('abcd'), '"abc" AND "bcd"')
    assert.equal(trigramQuery('aaaaa'), '"aaa"')
  })

  it('counts code points and not UTF-16 units', () => {
    assert.equal(trigramQuery('🎉🎊🎈'), '"🎉🎊🎈"')
    assert.equal(trigramQuery('🎉🎊🎈!'), '"🎉🎊🎈" AND "🎊🎈!"')
  })

  it('takes what is special to a query language for plain characters', () => {
    assert.equal(trigramQuery('"a"'), '"""a"""')
    for (const text of [
      'a" OR "b',
      'NOT',
      'a*',
      '^ab',
      '{a b}: c',
      'NEAR(a b)',
      "a'b",
      'a\\b',
      '%_%',
    ]) {
      const query = trigramQuery(text)
      if (query !== null) {
        assert.ok(indexHas(text, query), text)
        assert.ok(!indexHas('something else, a and b', query), text)
      }
    }
  })

  it('asks for at most eight trigrams of a long text, spread over all of it', () => {
    const text = Array.from({ length: 400 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('')
    const places = phrases(trigramQuery(text)).map((phrase) => text.indexOf(phrase))
    assert.equal(places.length, 8)
    assert.equal(places[0], 0)
    assert.ok((places.at(-1) ?? 0) > 340)
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })

  it('asks only for trigrams of the text, whatever it is', () => {
    fc.assert(
      fc.property(aText(60), (text) => {
        const query = trigramQuery(text)
        assert.equal(query === null, [...text].length < 3)
        if (query === null || text.includes('" AND "')) return
        for (const phrase of phrases(query)) {
          assert.equal([...phrase].length, 3)
          assert.ok(text.includes(phrase))
        }
      }),
    )
  })

  it('lets the index find every text of which the searched one is a part', () => {
    fc.assert(
      fc.property(aText(40), unit, unit, (text, from, to) => {
        const query = trigramQuery(fold(partOf(text.normalize('NFC'), from, to)))
        if (query !== null) assert.ok(indexHas(fold(text), query))
      }),
      { numRuns: 500 },
    )
  })
})

describe('createSearchIndex', () => {
  it('begins at nothing, for the store it is told', () => {
    const database = new DatabaseSync(':memory:')
    createSearchIndex(database, 'one store')
    const state = database.prepare('select identity, watermark from search_state').get()
    assert.deepEqual({ ...state }, { identity: 'one store', watermark: 0 })
    database.close()
  })

  it('leaves an index that is there as it is', () => {
    const database = new DatabaseSync(':memory:')
    createSearchIndex(database, 'one store')
    database.exec('update search_state set watermark = 7')
    createSearchIndex(database, 'another')
    const state = database.prepare('select identity, watermark from search_state').get()
    assert.deepEqual({ ...state }, { identity: 'one store', watermark: 7 })
    database.close()
  })
})
