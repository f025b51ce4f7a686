// When the log is copied into the database file. Most of it is copied beside the writer, so that no
// commit waits for it, and what was appended during that copy too; the writer itself only copies
// the little that is left, and its next commit begins the log anew.

/**
 * Pages of 4 KiB in the log that make a copy worth while. A page that changed often is copied
 * once, so fewer and larger copies write less.
 */
const CHECKPOINT_FRAMES = 8000
/** What was appended during a long copy takes a short one, so that little is left for the writer. */
const COPIES = 2
/** A log as long as this is copied by the writer, however long commits wait. */
const MAX_FRAMES = 4 * CHECKPOINT_FRAMES

export type CheckpointSteps = {
  /** Copies what there is, beside the writer. */
  readonly copyMost: () => Promise<void>
  /** Copies the rest, between two commits. */
  readonly finish: () => Promise<void>
  /** The same, and resolves with whether the next commit begins the log anew. */
  readonly restart: () => Promise<boolean>
}

/** Keeps the log short. A step that fails is left to the next commit: the log loses nothing. */
export class Checkpoints {
  readonly #steps: CheckpointSteps
  #running: Promise<void> | null = null
  #finishing: Promise<void> | null = null

  constructor(steps: CheckpointSteps) {
    this.#steps = steps
  }

  /** Told after each commit how many pages the log has. */
  grown(frames: number): void {
    if (frames >= MAX_FRAMES) void this.#finish()
    if (frames < CHECKPOINT_FRAMES || this.#running !== null) return
    this.#running = this.#run()
  }

  /**
   * Copies everything now. Resolves with whether the next commit begins the log anew, which it does
   * not while somebody reads from it; rejects where the writer can't copy.
   */
  async restartLog(): Promise<boolean> {
    await this.#running
    await this.#steps.copyMost().catch(() => {})
    return await this.#steps.restart()
  }

  /** Resolves when nothing is being copied. Idempotent. */
  async close(): Promise<void> {
    await this.#running
    await this.#finishing
  }

  async #run(): Promise<void> {
    for (let copies = 0; copies < COPIES; copies++) await this.#steps.copyMost().catch(() => {})
    await this.#finish()
    this.#running = null
  }

  #finish(): Promise<void> {
    this.#finishing ??= this.#steps
      .finish()
      .catch(() => {})
      .finally(() => {
        this.#finishing = null
      })
    return this.#finishing
  }
}
