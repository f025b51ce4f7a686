// GET /events/stream: the committed sequence as Server-Sent Events (HTML Standard, 9.2).
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { AppError, type Problem, ValidationError } from '../../errors.ts'
import type { SequenceReader, SequenceRequest } from '../../store/store.ts'
import type { StreamHub } from '../../stream/hub.ts'
import { ERRORS, READ_ERRORS } from '../api-types.ts'
import { eventFilter } from '../event-filter.ts'
import { EventStream } from '../event-stream.ts'
import { StreamHeaders, StreamQuery } from '../event-types.ts'
import { requirePosition } from '../position.ts'
import type { Unsent } from '../unsent.ts'

/** How often a stream that is silent proves that it lives, in ms. */
const HEARTBEAT_MS = 15_000

export type StreamDeps = {
  readonly store: Pick<SequenceReader, 'eventsAfter' | 'lastSeq'>
  readonly hub: StreamHub
  readonly unsent: Unsent
  readonly isClosing: () => boolean
  readonly onError: (error: unknown) => void
}

const SCHEMA = {
  summary: 'Follow everything that is committed, live',
  description:
    'Server-Sent Events: `id` is the place in the sequence, `event` the kind, `data` an entry of /events as JSON. After a lost connection, go on with `Last-Event-ID`. A reader that is too slow is dropped, and can do the same.',
  tags: ['events'],
  querystring: StreamQuery,
  headers: StreamHeaders,
  response: {
    200: {
      description: 'The stream.',
      content: {
        'text/event-stream': { schema: Type.String(), example: 'id: 42\nevent: status\n\n' },
      },
    },
    ...READ_ERRORS,
    409: ERRORS[409],
    422: ERRORS[422],
  },
}

type StreamRequest = FastifyRequest<{ Querystring: StreamQuery }>

/** Adds the route to `app`. All streams end when `app` closes. */
export function streamRoute(app: FastifyInstance, deps: StreamDeps): void {
  const open = new Set<EventStream>()
  const timer = setInterval(() => {
    for (const stream of open) stream.beat()
  }, HEARTBEAT_MS)
  app.addHook('preClose', (done) => {
    clearInterval(timer)
    for (const stream of open) stream.end()
    done()
  })
  app.get<{ Querystring: StreamQuery }>(
    '/events/stream',
    { config: { access: 'read' }, exposeHeadRoute: false, schema: SCHEMA },
    async (request, reply) => {
      const filter = eventFilter(request.query)
      const position = await positionFor(request, deps.store)
      if (deps.isClosing()) throw new AppError('shutting_down')
      // Whoever has gone while the place was looked up, or waited too long, is not heard of again.
      if (reply.sent || reply.raw.destroyed) return reply.hijack()
      const stream = new EventStream({ ...deps, filter, position, response: begin(reply) })
      open.add(stream)
      reply.raw.once('close', () => {
        open.delete(stream)
        stream.end()
      })
      stream.beat()
      void stream.run()
      return reply
    },
  )
}

/** The place in the sequence behind which a stream begins. */
async function positionFor(request: StreamRequest, store: StreamDeps['store']): Promise<number> {
  const start = startOf(request)
  if (start === null) return await store.lastSeq()
  requirePosition(start, await store.eventsAfter(pageAt(start)))
  return start
}

/** Where the reader wants to begin; null: with what comes from now on. */
function startOf({ headers, query }: StreamRequest): number | null {
  const last = headers['last-event-id']
  if (last === undefined || last === '') return query.after ?? null
  if (typeof last === 'string' && /^\d{1,15}$/.test(last)) return Number(last)
  const msg = 'Input should be the id of an event of this stream'
  const problem: Problem = { loc: ['header', 'last-event-id'], msg, type: 'value_error' }
  throw new ValidationError([problem])
}

/** The least that tells how far the sequence goes. */
function pageAt(after: number): SequenceRequest {
  return { filter: {}, after, limit: 1 }
}

/** Sends the headers and takes the answer out of the framework's hands. */
function begin(reply: FastifyReply): ServerResponse {
  reply.header('content-type', 'text/event-stream; charset=utf-8')
  // Proxies of nginx' kind would keep events until they have enough for a packet.
  reply.header('x-accel-buffering', 'no')
  reply.hijack()
  reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
  reply.raw.flushHeaders()
  return reply.raw
}
