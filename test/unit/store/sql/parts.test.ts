import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../../../src/app/cli/random.ts'
import { partsBySize } from '../../../../src/app/store/sql/parts.ts'

test('parts hold all items in their order, as many as fit and never none', () => {
  const random = randomFrom(1)
  for (let trial = 0; trial < 200; trial++) {
    const sizes = Array.from({ length: Math.floor(random() * 30) }, () => Math.floor(random() * 12))
    const parts = [...partsBySize(sizes, (size) => size, 10)]
    assert.deepEqual(parts.flat(), sizes)
    for (const [i, part] of parts.entries()) {
      const held = part.reduce((sum, size) => sum + size, 0)
      assert.ok(held <= 10 || part.length === 1, String(part))
      const next = parts[i + 1]?.[0]
      assert.ok(next === undefined || held + next > 10, `${part} has room for ${next}`)
    }
  }
})
