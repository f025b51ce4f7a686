// Requests as bytes, made and signed before a measurement begins.
import { createHmac } from 'node:crypto'
import { messageFor, type Range } from './messages.ts'

export type RequestOptions = Range & {
  readonly run: string
  readonly port: number
  readonly secret: string
}

/** One signed POST /webhook for every message of the range, head and body in one piece. */
export function signedRequests({ run, port, secret, first, count }: RequestOptions): Buffer[] {
  const requests: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const body = JSON.stringify(messageFor(run, first + i))
    const signature = createHmac('sha256', secret).update(body).digest('hex')
    requests.push(
      Buffer.from(
        `POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
          `X-Signature: ${signature}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    )
  }
  return requests
}

/** Signed POSTs of Cloud API bodies. */
export function cloudApiRequests(
  bodies: Iterable<string>,
  { port, secret }: { port: number; secret: string },
): Buffer[] {
  return Array.from(bodies, (body) => {
    const signature = createHmac('sha256', secret).update(body).digest('hex')
    return Buffer.from(
      `POST /webhook/cloud-api HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        `Content-Type: application/json\r\nX-Hub-Signature-256: sha256=${signature}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  })
}

/** A GET with the key that opens what needs one. */
export function getRequest(path: string, { port, key }: { port: number; key: string }): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\n\r\n`,
  )
}
