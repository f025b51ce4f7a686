// What the service holds after a simulation against what it should, item for item, over its API.
import type { Api } from '../api.ts'
import { quoted } from '../command.ts'
import type { Expectation, ExpectedMessage } from './expectation.ts'

const PAGE = 1000

type ShownMessage = {
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly type: string
  readonly direction: string
  readonly text: string | null
  readonly status: string | null
  readonly contact: { readonly key: string } | null
}
type ShownEvent = {
  readonly seq: number
  readonly kind: string
  readonly type: string
  readonly key: string | null
  readonly message_id: string | null
  readonly message?: ShownMessage
  readonly data: unknown
}
type Page = { readonly data: readonly ShownEvent[]; readonly next: number }

/** Told of each thing that disagrees, in a sentence with ids and never with a text. */
type Report = (finding: string) => void

/** Reads the whole sequence and compares what is of this run. */
export async function checkHeld(
  api: Api,
  { run, expectation, report }: { run: string; expectation: Expectation; report: Report },
): Promise<void> {
  const check = new Check(run, expectation, report)
  let after = 0
  for (;;) {
    const page = await api.get<Page>(`/events?limit=${PAGE}&after=${after}`)
    for (const event of page.data) check.see(event)
    if (page.data.length === 0) break
    after = page.next
  }
  check.end()
}

class Check {
  readonly #mark: RegExp
  readonly #expectation: Expectation
  readonly #report: Report
  readonly #messages: Set<string>
  readonly #statuses: Set<string>
  readonly #marks: Map<string, string>
  #lastSeq = 0

  constructor(run: string, expectation: Expectation, report: Report) {
    this.#mark = new RegExp(`(?:wamid\\.)?sim\\.${run}\\.\\d+`)
    this.#expectation = expectation
    this.#report = report
    this.#messages = new Set(expectation.messages.keys())
    this.#statuses = expectation.allStatuses()
    this.#marks = new Map(expectation.marks)
  }

  see(event: ShownEvent): void {
    if (event.seq <= this.#lastSeq) this.#report(`event ${event.seq}: is out of its order.`)
    this.#lastSeq = event.seq
    const text = JSON.stringify([event.message_id, event.key, event.data])
    if (!this.#mark.test(text)) return
    if (event.kind === 'message') this.#seeMessage(event)
    else if (event.kind === 'status') this.#seeStatus(event)
    else this.#seeMarked(event, event.kind === 'edit' || event.kind === 'revoke' ? event.key : text)
  }

  /** What was expected and not seen. */
  end(): void {
    for (const id of this.#messages) this.#report(`message ${quoted(id)}: is missing.`)
    for (const status of this.#statuses) this.#report(`status ${quoted(status)}: is missing.`)
    for (const [mark, kind] of this.#marks) this.#report(`${kind} ${quoted(mark)}: is missing.`)
  }

  #seeMessage({ message_id: id, message }: ShownEvent): void {
    const expected = this.#expectation.messages.get(id ?? '')
    if (expected === undefined || message === undefined || !this.#messages.delete(expected.id)) {
      this.#report(`message ${quoted(id ?? '')}: is there and was not expected, or twice.`)
      return
    }
    this.#compare(expected, message)
  }

  #compare(expected: ExpectedMessage, message: ShownMessage): void {
    const { id, from, to, ts, type, direction, contact } = expected
    const text = this.#expectation.textOf(expected)
    const status = this.#expectation.statusOf(id)
    const wanted = { from, to, ts, type, direction, text, status }
    for (const [name, value] of Object.entries(wanted)) {
      if (message[name as keyof typeof wanted] === value) continue
      this.#report(`message ${quoted(id)}: ${name} is not what was sent.`)
    }
    if (message.contact?.key !== contact) {
      this.#report(`message ${quoted(id)}: contact is not who sent it.`)
    }
  }

  #seeStatus({ message_id: id, type }: ShownEvent): void {
    if (this.#statuses.delete(`${id} ${type}`)) return
    this.#report(`status ${quoted(`${id} ${type}`)}: is there and was not expected, or twice.`)
  }

  #seeMarked({ kind }: ShownEvent, text: string | null): void {
    const [mark] = this.#mark.exec(text ?? '') ?? ['']
    if (this.#marks.get(mark) === kind && this.#marks.delete(mark)) return
    // Errors have no identity: of a run that is repeated, each is there again.
    if (kind === 'error' && this.#expectation.marks.get(mark) === kind) return
    this.#report(`${kind} ${quoted(mark)}: is there and was not expected, or twice.`)
  }
}
