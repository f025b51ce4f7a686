// Requests whose framing two servers could read differently: refused with 400 and a closed
// connection, so that a proxy in front can never be made to disagree with this service.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Whether a request that Node's parser let through is ambiguous all the same: not exactly one Host
 * (HTTP/1.0 may do without), a Transfer-Encoding other than a single `chunked` or in HTTP/1.0, which
 * has none (RFC 9112, 6.1), a target that is not a plain path, a body on a method that has none
 * here, or a version other than 1.x.
 */
export function isAmbiguous(request: IncomingMessage): boolean {
  const { rawHeaders, url = '', method, httpVersion } = request
  if (url[0] !== '/' || url.includes('#')) return true
  let hosts = 0
  let encodings = 0
  let hasBody = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    // Comparing lengths first: this runs for every header of every request.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
    else if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (rawHeaders[i + 1] !== '0') hasBody = true
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      encodings++
      hasBody = true
      if (rawHeaders[i + 1]?.toLowerCase() !== 'chunked') return true
    }
  }
  if (hosts !== 1 && !(hosts === 0 && httpVersion === '1.0')) return true
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return true
  if (encodings > 0 && httpVersion === '1.0') return true
  return encodings > 1 || (hasBody && (method === 'GET' || method === 'HEAD'))
}

type ParseError = Error & { readonly code?: string }

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }
type Exchanges = {
  unanswered: number
  /** Null once it has arrived and all is answered: a connection that idles keeps no body. */
  last: Exchange | null
}

/** The requests of each connection that are not answered yet, and the last one that began. */
const exchanges = new WeakMap<Socket, Exchanges>()

/** Notes a request that waits for its answer; to be called for each, in their order. */
export function requestBegins(last: Exchange): void {
  const { socket } = last.request
  const unanswered = (exchanges.get(socket)?.unanswered ?? 0) + 1
  exchanges.set(socket, { unanswered, last })
}

/** Notes that a request of this connection was answered or given up. */
export function requestEnds(socket: Socket): void {
  const open = exchanges.get(socket)
  if (open === undefined) return
  open.unanswered = Math.max(0, open.unanswered - 1)
  if (open.unanswered === 0 && open.last?.request.complete) open.last = null
}

/** Whether bytes written now would be taken for the answer to what the parser stumbled over. */
function mayAnswer(socket: Socket): boolean {
  const open = exchanges.get(socket)
  if (open === undefined) return true
  const { unanswered, last } = open
  // The fault is either in the body of the last request or in what comes behind it.
  if (last === null || last.request.complete) return unanswered === 0
  return unanswered === 1 && !last.response.headersSent
}

/** Answers what Node's parser refused or what took too long, and closes the connection. */
export function answerClientError(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || !mayAnswer(socket)) {
    socket.destroy()
    return
  }
  const { status, detail } = clientErrorAnswer(error.code)
  const body = JSON.stringify({ detail })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}

function clientErrorAnswer(code: string | undefined): { status: string; detail: string } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      status: '431 Request Header Fields Too Large',
      detail: 'The headers are larger than 16 KiB.',
    }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: '408 Request Timeout', detail: 'The request took too long to arrive.' }
  }
  return { status: '400 Bad Request', detail: 'The request is not valid HTTP/1.1.' }
}
