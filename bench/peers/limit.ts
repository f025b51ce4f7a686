// The limit: node:http alone. Checks the signature, parses the body, answers. Stores nothing.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const secret = process.env['WEBHOOK_SECRET'] ?? ''
const OK = '{"status":"ok"}'

const server = createServer((request, response) => {
  if (request.method !== 'POST') return answer(response, 200, OK)
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => receive(request, response, Buffer.concat(chunks)))
})

function receive(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (!isSigned(body, request.headers['x-signature'])) {
    answer(response, 401, '{"detail":"invalid signature"}')
    return
  }
  if (isJson(body)) answer(response, 200, OK)
  else answer(response, 422, '{"detail":"invalid body"}')
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString('utf8'))
    return true
  } catch {
    return false
  }
}

function isSigned(body: Buffer, header: string | string[] | undefined): boolean {
  const claimed = Buffer.from(String(header), 'hex')
  const expected = createHmac('sha256', secret).update(body).digest()
  return claimed.length === expected.length && timingSafeEqual(claimed, expected)
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

server.listen(Number(process.env['PORT']), '127.0.0.1')
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
