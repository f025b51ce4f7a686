// The least that a store can be and still answer after a durable commit that has each id once: (a), one
// table without any index but its key, and a commit shared by all that arrived together. No raw body,
// no search, no list in the order of time, no statistics, no log.
import { DatabaseSync } from 'node:sqlite'
import { serve } from './bare-receiver.ts'

type Message = { message_id: string; from: string; to: string; ts: string; text?: string | null }
type Waiting = { readonly message: Message; readonly answerOk: () => void }

const database = new DatabaseSync((process.env['DATABASE_URL'] ?? '').replace('sqlite:///', ''))
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists messages (
    message_id text primary key,
    sender text not null,
    recipient text not null,
    ts text not null,
    text text
  ) strict, without rowid;
`)
const insert = database.prepare(
  `insert into messages (message_id, sender, recipient, ts, text) values (?, ?, ?, ?, ?)
   on conflict (message_id) do nothing`,
)

let waiting: Waiting[] = []

function store(): void {
  const batch = waiting
  waiting = []
  database.exec('begin immediate')
  for (const { message } of batch) {
    const { message_id, from, to, ts, text } = message
    insert.run(message_id, from, to, ts, text ?? null)
  }
  database.exec('commit')
  for (const { answerOk } of batch) answerOk()
}

serve(({ body }, answerOk) => {
  // Behind whatever else has arrived on sockets by then.
  if (waiting.length === 0) setImmediate(store)
  waiting.push({ message: body as Message, answerOk })
})
