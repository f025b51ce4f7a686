// The format of a write-ahead log: a header, then frames of a page each, whose checksums go on from one
// to the next. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
import { readSync } from 'node:fs'

export const LOG_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const SMALLEST_PAGE_BYTES = 512
/** Without a whole frame there is nothing in it. */
export const SMALLEST_LOG_BYTES = LOG_HEADER_BYTES + FRAME_HEADER_BYTES + SMALLEST_PAGE_BYTES
/** Its last bit tells the order of the bytes in the words that checksums are made of. */
const MAGIC = 0x377f0682

/** Running sums over everything from the header on; each frame carries those up to its end. */
type Checksum = readonly [number, number]

type LogFrame = {
  readonly bytes: Buffer
  /** Of the generation that the log's header began, and not left over from an earlier one. */
  readonly isCurrent: boolean
  /** The last one of its transaction. */
  readonly isCommit: boolean
  readonly checksum: Checksum
}

/** A log as it was at one look. */
export class WriteAheadLog {
  readonly #handle: number
  readonly #header: Buffer
  readonly #frameBytes: number
  readonly #frames: number
  readonly #isLittleEndian: boolean

  /** Null where its header is not as it was written: the first frame was, only after it. */
  static open(handle: number, size: number, header: Buffer): WriteAheadLog | null {
    const isLog = (header.readUInt32BE(0) & ~1) === MAGIC
    const log = new WriteAheadLog(handle, size, header)
    const sum = log.#sum([0, 0], header.subarray(0, 24))
    return isLog && isSameChecksum(sum, checksumAt(header, 24)) ? log : null
  }

  private constructor(handle: number, size: number, header: Buffer) {
    this.#handle = handle
    this.#header = header
    this.#frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8)
    this.#frames = Math.floor((size - LOG_HEADER_BYTES) / this.#frameBytes)
    this.#isLittleEndian = (header.readUInt32BE(0) & 1) === 0
  }

  /** Where the readable part ends, in bytes, with commits behind it; null where there are none. */
  damage(): number | null {
    const end = this.#readable()
    return this.#isCommittedAfter(end) ? this.#offset(end) : null
  }

  /** How many frames are as they were written. */
  #readable(): number {
    let checksum = checksumAt(this.#header, 24)
    for (let i = 0; i < this.#frames; i++) {
      const frame = this.#frame(i)
      if (!frame.isCurrent || !this.#follows(frame, checksum)) return i
      checksum = frame.checksum
    }
    return this.#frames
  }

  /**
   * Whether a transaction was begun after another one that ends at this frame or behind it: that
   * one had been fsynced by then. A frame follows another if its checksum goes on from that one's.
   */
  #isCommittedAfter(first: number): boolean {
    for (let i = first; i + 1 < this.#frames; i++) {
      const { isCurrent, isCommit, checksum } = this.#frame(i, FRAME_HEADER_BYTES)
      if (!isCurrent || !isCommit) continue
      const next = this.#frame(i + 1)
      if (next.isCurrent && this.#follows(next, checksum)) return true
    }
    return false
  }

  #follows({ bytes, checksum }: LogFrame, previous: Checksum): boolean {
    const sum = this.#sum(previous, bytes.subarray(0, 8))
    return isSameChecksum(this.#sum(sum, bytes.subarray(FRAME_HEADER_BYTES)), checksum)
  }

  #frame(index: number, bytes = this.#frameBytes): LogFrame {
    const frame = readAt(this.#handle, this.#offset(index), bytes)
    return {
      bytes: frame,
      isCurrent: frame.compare(this.#header, 16, 24, 8, 16) === 0,
      isCommit: frame.readUInt32BE(4) !== 0,
      checksum: checksumAt(frame, 16),
    }
  }

  #offset(index: number): number {
    return LOG_HEADER_BYTES + index * this.#frameBytes
  }

  #sum(previous: Checksum, bytes: Buffer): Checksum {
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let [s0, s1] = previous
    for (let at = 0; at < bytes.byteLength; at += 8) {
      s0 = (s0 + words.getUint32(at, this.#isLittleEndian) + s1) >>> 0
      s1 = (s1 + words.getUint32(at + 4, this.#isLittleEndian) + s0) >>> 0
    }
    return [s0, s1]
  }
}

function checksumAt(bytes: Buffer, at: number): Checksum {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
}

function isSameChecksum([a, b]: Checksum, [c, d]: Checksum): boolean {
  return a === c && b === d
}

/** Bytes of a file; zeros where it has become shorter meanwhile. */
export function readAt(handle: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  readSync(handle, bytes, 0, length, offset)
  return bytes
}
