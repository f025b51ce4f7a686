// The least that a store can be and still answer after a durable commit that has each id once: (a), one
// table without any index but its key, and a commit shared by all that arrived together. No raw body,
// no search, no list in the order of time, no statistics, no log.
import { serve } from './bare-receiver.ts'
import { type Message, openTable } from './message-table.ts'

type Waiting = { readonly message: Message; readonly answerOk: () => void }

const { database, insert } = openTable('strict, without rowid')

let waiting: Waiting[] = []

function store(): void {
  const batch = waiting
  waiting = []
  database.exec('begin immediate')
  for (const { message } of batch) insert(message)
  database.exec('commit')
  for (const { answerOk } of batch) answerOk()
}

serve(({ body }, answerOk) => {
  // Behind whatever else has arrived on sockets by then.
  if (waiting.length === 0) setImmediate(store)
  waiting.push({ message: body as Message, answerOk })
})
