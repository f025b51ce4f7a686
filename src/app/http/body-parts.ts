// What has arrived of a body. Its sender chooses how small the parts are, and each buffer takes some
// hundred bytes beside what it holds: kept one by one, a body of a megabyte could take gigabytes.

/** A part of this size is kept as it came; smaller ones are copied together. Bytes. */
const LARGE_BYTES = 1024
/** Small parts are copied to blocks: of 1 KiB at first, then of twice the last one, up to this. Bytes. */
const BLOCK_BYTES = 16 * 1024

const NO_BLOCK = Buffer.alloc(0)

/** The parts of one body in the order in which they came, in few buffers. */
export class BodyParts {
  #buffers: Buffer[] = []
  #block = NO_BLOCK
  /** Up to here the block is among the buffers already. */
  #from = 0
  /** Up to here it holds parts. */
  #end = 0

  /** Adds what comes next. */
  add(part: Buffer): void {
    // Nearly every body comes as one part, which is then the body.
    const isKept = this.#buffers.length === 0 || part.length >= LARGE_BYTES
    if (isKept) this.#keep(part)
    else this.#copy(part)
  }

  /** All parts as one buffer. */
  whole(): Buffer {
    this.#closeBlock()
    const [first = NO_BLOCK] = this.#buffers
    return this.#buffers.length > 1 ? Buffer.concat(this.#buffers) : first
  }

  /** Lets go of all parts. */
  clear(): void {
    this.#buffers = []
    this.#block = NO_BLOCK
    this.#from = 0
    this.#end = 0
  }

  #keep(part: Buffer): void {
    this.#closeBlock()
    this.#buffers.push(part)
  }

  #copy(part: Buffer): void {
    if (this.#end + part.length > this.#block.length) {
      this.#closeBlock()
      const bytes = Math.min(BLOCK_BYTES, Math.max(LARGE_BYTES, 2 * this.#block.length))
      this.#block = Buffer.allocUnsafeSlow(bytes)
      this.#from = 0
      this.#end = 0
    }
    this.#end += part.copy(this.#block, this.#end)
  }

  /** What the block holds comes before what is added next. */
  #closeBlock(): void {
    if (this.#end === this.#from) return
    this.#buffers.push(this.#block.subarray(this.#from, this.#end))
    this.#from = this.#end
  }
}
