import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenFault } from '../../../src/app/cli/listen-fault.ts'

const asListening = (code: string) =>
  Object.assign(new Error('canary'), { syscall: 'listen', code })

test('a port that is taken, or an address that is not there yet, may be right the next time', () => {
  for (const code of ['EADDRINUSE', 'EADDRNOTAVAIL']) {
    const fault = listenFault(asListening(code), { port: 80 })
    assert.equal(fault?.name, 'Error')
    assert.doesNotMatch(fault.message, /canary/)
  }
})

test('a port that this user may not have is a fault of the configuration', () => {
  const fault = listenFault(asListening('EACCES'), { port: 80 })
  assert.equal(fault?.name, 'ConfigurationError')
  assert.equal(fault.message, 'Port 80 is not for this user: set PORT to 1024 or more.')
})

test('an error of another kind is left as it is', () => {
  assert.equal(listenFault(asListening('EMFILE'), { port: 80 }), null)
  assert.equal(listenFault(Object.assign(new Error(), { code: 'EACCES' }), { port: 80 }), null)
})
