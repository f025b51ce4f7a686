// What is expected of a service whose disk has failed it for good: an end, and all is well afterwards.
import assert from 'node:assert/strict'
import { anomalies } from './checker.ts'
import type { Sender } from './sender.ts'
import type { Setting } from './setting.ts'

type Failed = {
  readonly setting: Setting
  readonly sender: Sender
  /** The exit code of the service. */
  readonly code: number | null
}

/** It has refused something and ended with 1, and the next start on a sound disk has everything. */
export async function assertFailStop({ setting, sender, code }: Failed): Promise<void> {
  assert.equal(code, 1)
  assert.ok((sender.statuses.get(503) ?? 0) + (sender.statuses.get(0) ?? 0) > 0)
  const recovered = await setting.start()
  assert.equal(await sender.sendOne(recovered.url), 200)
  await recovered.stop()
  assert.deepEqual(anomalies(setting.file, sender.sent), [])
}
