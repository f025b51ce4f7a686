// How far a command is, on stderr: a bar on a terminal, elsewhere a line every few seconds.
import { styleText } from 'node:util'
import { grouped } from './command.ts'

const BAR_CELLS = 30
/** Of a terminal that does not tell. */
const USUAL_COLUMNS = 80
const REDRAW_MS = 100
const LINE_MS = 5000

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>

/** The progress of one piece of work. It draws when it is told of something, never by a timer. */
export class Progress {
  readonly #label: string
  readonly #unit: string
  readonly #output: Terminal
  #start = 0
  #drawnAt = performance.now()
  #drawn = false

  constructor(label: string, unit: string, output: Terminal = process.stderr) {
    this.#label = label
    this.#unit = unit
    this.#output = output
  }

  /** Shows `done` of `total`, unless something was shown just now. */
  update(done: number, total: number): void {
    const now = performance.now()
    if (this.#start === 0) this.#start = now
    if (now - this.#drawnAt < (this.#output.isTTY ? REDRAW_MS : LINE_MS)) return
    this.#drawnAt = now
    this.#drawn = true
    const seconds = Math.max(0.001, (now - this.#start) / 1000)
    const rate = `${grouped(Math.round(done / seconds))}/s`
    const text = `${grouped(done)} of ${grouped(total)} ${this.#unit}, ${rate}`
    const line = this.#output.isTTY
      ? `\r\u001b[K${this.#fitting(text, done, total)}`
      : `${this.#label} ${text}\n`
    this.#output.write(line)
  }

  /** What fits into one line of the terminal: of a second one, nothing would take the first away. */
  #fitting(text: string, done: number, total: number): string {
    const room = (this.#output.columns || USUAL_COLUMNS) - 1
    const bare = `${this.#label} ${text}`
    if (bare.length + BAR_CELLS + 1 > room) return bare.slice(0, room)
    return `${this.#label} ${bar(done, total)} ${text}`
  }

  /** Takes the bar away. */
  finish(): void {
    if (this.#drawn && this.#output.isTTY) this.#output.write('\r\u001b[K')
    this.#drawn = false
  }
}

function bar(done: number, total: number): string {
  const filled = total > 0 ? Math.round(Math.min(1, done / total) * BAR_CELLS) : 0
  const color = (cells: string) => styleText('green', cells, { stream: process.stderr })
  return `${color('█'.repeat(filled))}${'░'.repeat(BAR_CELLS - filled)}`
}
