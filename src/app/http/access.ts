// Who may read. Every route declares itself public or for readers; one that declares nothing is
// refused at start.
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import type { Config } from '../config.ts'
import type { ApiKey } from '../config-values.ts'

/** For everybody, or for those who may read. */
export type Access = 'public' | 'read'

export type AccessPolicy = { readonly mode: Config['readAccess']; readonly keys: readonly ApiKey[] }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
}

const BEARER = /^Bearer ([\x21-\x7e]+)$/i

/** Answers whether a request may read, by the policy of this service. */
export function readAccess({ mode, keys }: AccessPolicy): (request: IncomingMessage) => boolean {
  const digests = keys.map(({ key }) => sha256(key))
  return (request) => {
    if (mode === 'open') return true
    if (mode === 'local' && isLocal(request)) return true
    return hasKey(digests, request.headers.authorization)
  }
}

/** Digests have one length, so the comparison takes the same time for every key. */
function hasKey(digests: readonly Buffer[], authorization: string | undefined): boolean {
  const presented = BEARER.exec(authorization ?? '')?.[1]
  if (presented === undefined) return false
  const digest = sha256(presented)
  let found = false
  for (const expected of digests) {
    if (timingSafeEqual(expected, digest)) found = true
  }
  return found
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/**
 * Whether a request comes from this machine and not through a proxy: a loopback peer, no header
 * that a proxy adds, HTTP/1.1 (a stock nginx speaks 1.0), a local Host (a rebound name is none)
 * and no page of another site behind it. A proxy that adds nothing can't be told apart, which is
 * why this is for a laptop only.
 */
function isLocal(request: IncomingMessage): boolean {
  const { headers, httpVersion, socket } = request
  return (
    isLoopback(socket.remoteAddress ?? '') &&
    httpVersion === '1.1' &&
    isLocalHost(headers.host ?? '') &&
    !Object.keys(headers).some(isProxyHeader) &&
    ['none', 'same-origin'].includes(String(headers['sec-fetch-site'] ?? 'none'))
  )
}

function isLoopback(address: string): boolean {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address
  return address === '::1' || (isIPv4(v4) && v4.startsWith('127.'))
}

function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'))
}

function isProxyHeader(name: string): boolean {
  return (
    name === 'forwarded' ||
    name === 'via' ||
    name === 'x-real-ip' ||
    name.startsWith('x-forwarded-') ||
    name.startsWith('cf-')
  )
}
