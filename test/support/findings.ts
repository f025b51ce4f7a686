// What the command `verify` names, against what it should.
import assert from 'node:assert/strict'
import type { CommandResult } from './run-command.ts'

/** A whole line, or a part of one. */
export type Finding = string | RegExp

/** Asserts that `verify` failed with these lines, in any order, and a last one that counts them. */
export function assertFindings(
  { code, stdout, stderr }: CommandResult,
  findings: readonly Finding[],
): void {
  assert.equal(code, 1, `${stdout}${stderr}`)
  assert.equal(stderr, '')
  const lines = stdout.trimEnd().split('\n')
  const closing = lines.pop() ?? ''
  const things = lines.length === 1 ? '1 thing disagrees' : `${lines.length} things disagree`
  assert.ok(closing.endsWith(`: ${things}.`), closing)
  for (const finding of findings) {
    const found = lines.some((line) =>
      typeof finding === 'string' ? line === finding : finding.test(line),
    )
    assert.ok(found, `${String(finding)} is not in\n${stdout}`)
  }
  assert.equal(lines.length, findings.length, stdout)
}
