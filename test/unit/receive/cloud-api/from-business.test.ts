// Echoes, histories and statuses: what went from the business to people.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aStatus, aText, batch, change, type Fields } from '../../../support/cloud-api.ts'
import { eventsIn, onlyEventIn } from '../../../support/read-batches.ts'

describe('what the business sent', () => {
  it('is an outbound message where it comes back as an echo, in a namespace of its own', () => {
    const echo = aText({ id: 'X', from: '14155550101', to: '14155550100' })
    const event = onlyEventIn(batch(change({ message_echoes: [echo] }, 'smb_message_echoes')))
    assert.partialDeepStrictEqual(event, {
      kind: 'message',
      namespace: 'echo',
      direction: 'outbound',
      from: '+14155550101',
      to: '+14155550100',
    })
    assert.equal(event.contact?.phone, '+14155550100')
  })

  it('and what it received is told apart in a history', () => {
    const threads = [
      {
        id: '14155550100',
        messages: [aText({ from: '14155550101' }), aText({ from: '14155550100' })],
      },
    ]
    const metadata = { phase: 0, chunk_order: 1, progress: 5 }
    const events = eventsIn(batch(change({ history: [{ metadata, threads }] }, 'history')))
    assert.deepEqual(
      events.map((event) => (event.kind === 'message' ? event.direction : event.kind)),
      ['history', 'outbound', 'inbound'],
    )
    assert.equal(events[1]?.contact?.phone, '+14155550100')
  })

  it('has the status that a history gives it, and what it received has none', () => {
    const statusesOf = (from: string, history_context: unknown) => {
      const threads = [{ id: '14155550100', messages: [aText({ id: 'A', from, history_context })] }]
      return eventsIn(batch(change({ history: [{ threads }] }, 'history'))).filter(
        ({ kind }) => kind === 'status',
      )
    }
    for (const [word, status] of [
      ['READ', 'read'],
      ['PLAYED', 'played'],
      ['ERROR', 'failed'],
      ['brand_new', 'brand_new'],
    ]) {
      const [event, ...others] = statusesOf('14155550101', { status: word })
      assert.deepEqual(others, [])
      assert.partialDeepStrictEqual(event, {
        messageId: 'A',
        status,
        participant: '',
        ts: '2025-01-15T10:00:05.250Z',
        data: { status: word },
      })
    }
    assert.deepEqual(statusesOf('14155550100', { status: 'READ' }), [])
    for (const none of [undefined, null, 'READ', {}, { status: '' }, { status: {} }]) {
      assert.deepEqual(statusesOf('14155550101', none), [])
    }
  })

  it('has statuses, of which a group has one for each participant', () => {
    const event = onlyEventIn(
      batch(change({ statuses: [aStatus('A', 'failed', { errors: [{}] })] })),
    )
    assert.partialDeepStrictEqual(event, {
      kind: 'status',
      messageId: 'A',
      status: 'failed',
      participant: '',
      data: { errors: [{}] },
    })
    const group = { recipient_type: 'group', recipient_id: 'G' }
    const statuses = [
      aStatus('A', 'read', { ...group, recipient_participant_id: '14155550102' }),
      aStatus('A', 'read', { ...group, recipient_participant_user_id: 'US.9' }),
    ]
    assert.deepEqual(
      eventsIn(batch(change({ statuses }))).map(
        (each) => 'participant' in each && each.participant,
      ),
      ['+14155550102', 'US.9'],
    )
  })

  it('has one for each participant that is named, also where nothing says that it is a group', () => {
    const participantsOf = (...items: readonly Fields[]) =>
      eventsIn(
        batch(change({ statuses: items.map((fields) => aStatus('A', 'read', fields)) })),
      ).map((each) => each.kind === 'status' && [each.participant, each.contact?.phone])
    const one = { recipient_id: 'G', recipient_participant_id: '14155550102' }
    assert.deepEqual(
      participantsOf(
        one,
        { ...one, recipient_participant_id: '14155550103' },
        { ...one, recipient_type: '' },
      ),
      [
        ['+14155550102', '+14155550102'],
        ['+14155550103', '+14155550103'],
        ['+14155550102', '+14155550102'],
      ],
    )
    const person = { recipient_id: '14155550100' }
    assert.deepEqual(
      participantsOf(
        { ...person, recipient_type: 'individual', recipient_participant_id: '14155550100' },
        { ...person, recipient_participant_id: null },
      ),
      [
        ['', '+14155550100'],
        ['', '+14155550100'],
      ],
    )
  })

  it('names no participant after another one', () => {
    const contacts = [{ wa_id: '14155550102', profile: { name: 'Ann' } }]
    for (const group of [{}, { recipient_type: 'group' }]) {
      const statuses = ['14155550102', '14155550103'].map((participant) =>
        aStatus('A', 'read', {
          ...group,
          recipient_id: 'G',
          recipient_participant_id: participant,
        }),
      )
      const events = eventsIn(batch(change({ statuses, contacts })))
      assert.deepEqual(
        events.map(({ contact }) => contact?.name ?? null),
        ['Ann', null],
      )
    }
  })

  it('and copies for an application out of control change nothing of it', () => {
    const standby = { messages: [aText()], statuses: [aStatus('A', 'read')] }
    const events = eventsIn(batch(change({ standby }, 'standby')))
    assert.deepEqual(
      events.map((event) => (event.kind === 'message' ? event.namespace : event.kind)),
      ['standby', 'handover'],
    )
  })
})
