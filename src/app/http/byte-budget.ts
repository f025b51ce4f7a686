// Memory that many share.

/** Bytes that may be held together. */
export class ByteBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Takes bytes, or says that they are not to be had. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  /** Returns bytes that were taken. */
  giveBack(bytes: number): void {
    this.#left += bytes
  }
}
