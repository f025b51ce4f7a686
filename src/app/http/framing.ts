// Requests whose framing two servers could read differently: refused with 400 and a closed
// connection, so that a proxy in front can never be made to disagree with this service.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Whether a request that Node's parser let through is ambiguous all the same: more than one Host,
 * a Transfer-Encoding other than a single `chunked`, a target that is not a plain path, or a body
 * on a method that has none here.
 */
export function isAmbiguous({ rawHeaders, url, method }: IncomingMessage): boolean {
  if (url?.[0] !== '/') return true
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
  return hosts > 1 || encodings > 1 || (hasBody && (method === 'GET' || method === 'HEAD'))
}

type ParseError = Error & { readonly code?: string }

/** Sockets with a request that is not answered yet: bytes written now would be taken for its answer. */
const busy = new WeakMap<Socket, number>()

export function requestBegins(socket: Socket): void {
  busy.set(socket, (busy.get(socket) ?? 0) + 1)
}

export function requestEnds(socket: Socket): void {
  busy.set(socket, Math.max(0, (busy.get(socket) ?? 0) - 1))
}

/** Answers what Node's parser refused or what took too long, and closes the connection. */
export function answerClientError(error: ParseError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || (busy.get(socket) ?? 0) > 0) {
    socket.destroy()
    return
  }
  const { status, detail } = clientErrorAnswer(error.code)
  const body = JSON.stringify({ detail })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
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
