// A port for a program that can't tell which one it took.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const FIRST_PORT = 15_000
/** From here on Linux gives out ports by itself, and others from a higher one on. */
const END_OF_PORTS = 32_768
const TRIES = 100

/**
 * A port of 127.0.0.1 that nobody listens on at this moment. It is none that the system gives to whoever
 * asks for any port, so that it stays free until its program starts, and while that one is down.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = randomInt(FIRST_PORT, END_OF_PORTS)
    if (await isFree(port)) return port
  }
  throw new Error('There is no free port.')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
