// More senders at once than the event loop looks at in one go, all of them refused, and one who is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENGINES } from '../support/engines.ts'
import { flatBody, signature, toBytes } from '../support/signed.ts'
import { type Answer, KeepAlive, openConnections, webhookRequest } from './keep-alive.ts'
import { newSettingOn } from './setting.ts'

/** While more than 1024 sockets have something to read, the event loop runs no timers or immediates. */
const FLOODERS = 1500
const MESSAGES = 5
/** Answers to each of the flooders while one message is stored: 3 or 4, or more on a slow disk. */
const TURNS = 10

const refused = toBytes(flatBody())
const REFUSED = webhookRequest(refused, signature(refused, 'not the secret'))

for (const engine of ENGINES) {
  test(`${engine.name}: a flood of ${FLOODERS} senders that are refused holds nobody up for longer than a few turns`, async (t) => {
    const setting = await newSettingOn(engine, t)
    const service = await setting.start()
    const sender = await KeepAlive.open(service.port)
    const flooders = await openConnections(service.port, FLOODERS)
    t.after(() => {
      for (const connection of [sender, ...flooders]) connection.close()
    })
    assert.equal((await send(sender, messageWith(0))).status, 200)
    // Connections that the service has yet to accept would wait for longer than all others.
    await Promise.all(flooders.map((flooder) => send(flooder, REFUSED)))
    let answers = 0
    for (const flooder of flooders) flood(flooder, () => answers++)
    const meanwhile: number[] = []
    for (let i = 1; i <= MESSAGES; i++) {
      const before = answers
      assert.equal((await send(sender, messageWith(i))).status, 200)
      meanwhile.push(answers - before)
    }
    const usual = meanwhile.sort((a, b) => a - b)[Math.floor(MESSAGES / 2)] ?? 0
    t.diagnostic(`${usual} others were answered while a message was stored`)
    assert.ok(usual < TURNS * FLOODERS)
  })
}

function messageWith(number: number): string {
  return webhookRequest(toBytes(flatBody({ message_id: `flood-${number}` })))
}

function send(connection: KeepAlive, request: string): Promise<Answer> {
  return new Promise((resolve) => connection.send(request, resolve))
}

/** Sends what is refused again and again, until the connection is closed. */
function flood(connection: KeepAlive, onAnswer: () => void): void {
  connection.send(REFUSED, ({ status }) => {
    onAnswer()
    if (status !== 0) flood(connection, onAnswer)
  })
}
