// What every receiver has to do, over node:http alone: check the signature, parse the body, answer.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const secret = process.env['WEBHOOK_SECRET'] ?? ''
const OK = '{"status":"ok"}'

/** A body whose signature holds. */
export type Received = { readonly body: unknown; readonly raw: Buffer }

/** Calls back when the request may be answered 200. */
type Take = (received: Received, answerOk: () => void) => void

/** Serves on PORT until it is told to end by SIGTERM; any GET is answered 200. */
export function serve(take: Take): void {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return answer(response, 200, OK)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => receive(request, response, Buffer.concat(chunks), take))
  })
  server.listen(Number(process.env['PORT']), '127.0.0.1')
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}

/** Whether the header is the HMAC-SHA256 of the body, in hexadecimal. */
export function isSigned(body: Buffer, header: string | string[] | undefined): boolean {
  const claimed = Buffer.from(String(header), 'hex')
  const expected = createHmac('sha256', secret).update(body).digest()
  return claimed.length === expected.length && timingSafeEqual(claimed, expected)
}

function receive(
  request: IncomingMessage,
  response: ServerResponse,
  raw: Buffer,
  take: Take,
): void {
  if (!isSigned(raw, request.headers['x-signature'])) {
    answer(response, 401, '{"detail":"invalid signature"}')
    return
  }
  const body = parse(raw)
  if (body === undefined) answer(response, 422, '{"detail":"invalid body"}')
  else take({ body, raw }, () => answer(response, 200, OK))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}
