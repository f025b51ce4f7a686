// What a competent developer writes first: Fastify, and one synchronous insert and commit per
// request on node:sqlite with a write-ahead log and synchronous=FULL. It writes no log.
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import { isSigned } from './bare-receiver.ts'

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
  ) strict;
  create index if not exists messages_by_ts on messages (ts, message_id);
  create index if not exists messages_by_sender on messages (sender, ts, message_id);
`)
const insert = database.prepare(
  `insert into messages (message_id, sender, recipient, ts, text) values (?, ?, ?, ?, ?)
   on conflict (message_id) do nothing`,
)

type Body = { message_id: string; from: string; to: string; ts: string; text?: string | null }

const phoneNumber = { type: 'string', pattern: '^\\+[1-9][0-9]{1,14}$' }
const schema = {
  body: {
    type: 'object',
    required: ['message_id', 'from', 'to', 'ts'],
    properties: {
      message_id: { type: 'string', minLength: 1, maxLength: 255 },
      from: phoneNumber,
      to: phoneNumber,
      ts: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' },
      text: { type: ['string', 'null'], maxLength: 4096 },
    },
  },
}

const app = Fastify()

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, raw, done) => {
  const body = Buffer.from(raw)
  if (!isSigned(body, request.headers['x-signature'])) {
    return done(Object.assign(new Error('invalid signature'), { statusCode: 401 }))
  }
  try {
    done(null, JSON.parse(body.toString('utf8')))
  } catch {
    done(Object.assign(new Error('invalid body'), { statusCode: 422 }))
  }
})

app.post<{ Body: Body }>('/webhook', { schema }, (request, reply) => {
  const { message_id, from, to, ts, text } = request.body
  insert.run(message_id, from, to, ts, text ?? null)
  return reply.send({ status: 'ok' })
})

app.get('/health/ready', (_request, reply) => reply.send({ status: 'ok' }))

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
process.once('SIGTERM', () => {
  void app.close().then(() => database.close())
})
