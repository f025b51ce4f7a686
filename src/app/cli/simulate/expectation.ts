// What the service should hold after a simulation, known apart from the service's own code where
// that could be wrong in the same way.
import type { Instant } from '../../model/instant.ts'
import { currentStatus, type StatusMark } from '../../model/status.ts'

export type ExpectedMessage = {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly type: string
  readonly direction: 'inbound' | 'outbound'
  readonly contact: string
  readonly ts: string
  text: string | null
}

type Edit = { readonly atMs: number; readonly id: string; readonly text: string }

/** Kept while the traffic is made up. */
export class Expectation {
  readonly messages = new Map<string, ExpectedMessage>()
  /** The kind of each event that is no message, by the mark that stands somewhere in it. */
  readonly marks = new Map<string, string>()
  readonly #edits = new Map<string, Edit>()
  readonly #revoked = new Set<string>()
  readonly #statuses = new Map<string, StatusMark[]>()

  addMessage(message: ExpectedMessage): void {
    this.messages.set(message.id, message)
  }

  /** Any other event: `mark` is in its data and in nothing else of this kind. */
  addMarked(kind: string, mark: string): void {
    this.marks.set(mark, kind)
  }

  addEdit(original: string, edit: Edit): void {
    const known = this.#edits.get(original)
    if (known === undefined || edit.atMs >= known.atMs) this.#edits.set(original, edit)
  }

  addRevocation(original: string): void {
    this.#revoked.add(original)
  }

  addStatus(id: string, status: string, atMs: number): void {
    const instant = new Date(atMs).toISOString().slice(0, 19) as Instant
    this.#statuses.set(id, [...this.statusesOf(id), { status, instant }])
  }

  statusesOf(id: string): readonly StatusMark[] {
    return this.#statuses.get(id) ?? []
  }

  /** Every status as `id status`, each of which should be there once. */
  allStatuses(): Set<string> {
    return new Set(
      [...this.#statuses].flatMap(([id, marks]) => marks.map(({ status }) => `${id} ${status}`)),
    )
  }

  /** What a message should say at the end. */
  textOf({ id, text }: ExpectedMessage): string | null {
    if (this.#revoked.has(id)) return null
    return this.#edits.get(id)?.text ?? text
  }

  statusOf(id: string): string | null {
    return currentStatus(this.statusesOf(id))
  }

  get total(): number {
    return this.messages.size + this.marks.size + this.allStatuses().size
  }
}
