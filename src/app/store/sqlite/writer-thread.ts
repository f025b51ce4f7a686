// The thread that owns the write connection.
import type { PackedBatch } from './batch.ts'
import { serveThread } from './thread.ts'
import { Writer } from './writer.ts'

let writer: Writer

const methods = {
  open: (file: string): void => {
    writer = new Writer(file)
  },
  insert: (batch: PackedBatch) => writer.insert(batch),
  probe: (_: null) => writer.probe(),
  close: (_: null) => writer.close(),
}

export type WriterMethods = typeof methods

// The checkpoint comes after the answer, so that no sender waits for it.
serveThread(methods, (method) => {
  if (method === 'insert') writer.checkpoint()
})
