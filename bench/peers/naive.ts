// What a competent developer writes first: Fastify, and one synchronous insert and commit per
// request on node:sqlite with a write-ahead log and synchronous=FULL. It writes no log.
import Fastify from 'fastify'
import { isSigned } from './bare-receiver.ts'
import { type Message, openTable } from './message-table.ts'

const { database, insert } = openTable('strict')
database.exec(`
  create index if not exists messages_by_ts on messages (ts, message_id);
  create index if not exists messages_by_sender on messages (sender, ts, message_id);
`)

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

app.post<{ Body: Message }>('/webhook', { schema }, (request, reply) => {
  insert(request.body)
  return reply.send({ status: 'ok' })
})

app.get('/health/ready', (_request, reply) => reply.send({ status: 'ok' }))

await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) })
process.once('SIGTERM', () => {
  void app.close().then(() => database.close())
})
