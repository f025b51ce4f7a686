// A turn of the event loop that a flood of requests can't put off.

const { port1: here, port2: there } = new MessageChannel()
const callbacks: (() => void)[] = []

/**
 * Calls back once what has arrived on sockets so far has been read. A message to ourselves waits
 * its turn among them. setImmediate would wait for a moment at which fewer than 1024 of them have
 * something to read, or until the event loop has looked 48 times: under a flood that takes seconds.
 */
export function afterArrived(callback: () => void): void {
  if (callbacks.push(callback) > 1) return
  // Only while somebody waits does the listener keep the process from ending.
  here.once('message', () => {
    for (const each of callbacks.splice(0)) each()
  })
  there.postMessage(null)
}
