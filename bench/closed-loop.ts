// As much as the server takes: every connection sends its next request when the last is answered.
import { openConnections } from './connection.ts'
import { type LoadResult, Tally } from './tally.ts'

export type ClosedLoopOptions = {
  readonly port: number
  readonly connections: number
  readonly requests: readonly Uint8Array[]
  /** When no further request is sent; it ends sooner when the requests are used up. */
  readonly seconds: number
}

/** Sends the requests in their order; those that were sent are the first `sent` of them. */
export async function closedLoop(
  options: ClosedLoopOptions,
): Promise<LoadResult & { readonly sent: number }> {
  const { port, requests, seconds } = options
  const connections = await openConnections(options.connections, port)
  const tally = new Tally(requests.length)
  let sent = 0
  let busy = connections.length
  const start = performance.now()
  const deadline = start + seconds * 1000
  await new Promise<void>((resolve) => {
    for (const connection of connections) {
      let sentAt = start
      const next = () => {
        const request = performance.now() < deadline ? requests[sent] : undefined
        if (request === undefined) {
          if (--busy === 0) resolve()
          return
        }
        sent++
        sentAt = performance.now()
        connection.send(request, onAnswer)
      }
      const onAnswer = (status: number) => {
        tally.add(status, performance.now() - sentAt)
        // The measurement is invalid and ends: a broken connection would only count its own failures.
        if (status === 0) sent = requests.length
        next()
      }
      next()
    }
  })
  const result = tally.result((performance.now() - start) / 1000)
  for (const connection of connections) connection.close()
  return { ...result, sent: tally.answers }
}
