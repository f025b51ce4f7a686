// What becomes of a connection on which nothing has moved for too long.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'

/**
 * Answers 503 where it is the service that owes an answer, logged and counted like
 * every other one; what becomes of the request afterwards is not sent. A client that does not send the
 * rest of its request, or does not take its answer, is cut off.
 */
export function endStalled(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    // Of several requests on a connection, Node tells the one whose answer is the next.
    reply.raw.on('timeout', () => end(request, reply))
    done()
  })
}

function end(request: FastifyRequest, reply: FastifyReply): void {
  const isOwed = request.raw.complete && !reply.sent && !reply.raw.headersSent
  if (!isOwed) request.raw.socket.destroy()
  else reply.send(new AppError(request.webhook ? 'storing_timed_out' : 'read_timed_out'))
}
