// The thread that owns the write connection.
import type { PackedBatch } from './batch.ts'
import { serveThread } from './thread.ts'
import { Writer } from './writer.ts'

let writer: Writer

const methods = {
  open: ({ file, ...options }: { file: string; isTemporary: boolean }): void => {
    writer = new Writer(file, options)
  },
  insert: (batch: PackedBatch) => writer.insert(batch),
  findExpired: (before: number) => writer.findExpired(before),
  deleteExpired: (before: number) => writer.deleteExpired(before),
  checkpoint: (_: null) => writer.checkpoint(),
  restartLog: (_: null) => writer.restartLog(),
  probe: (_: null) => writer.probe(),
  close: (_: null) => writer.close(),
}

export type WriterMethods = typeof methods

serveThread(methods)
