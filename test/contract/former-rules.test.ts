// What earlier versions stored, by rules of which some have changed, is as sound as it was.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Intake, Rules } from '../../src/app/model/event.ts'
import { aStatus, aText, batch, change, metaJson } from '../support/cloud-api.ts'
import { intakeOf } from '../support/cloud-intake.ts'
import { databaseUrl, openEitherStore } from '../support/either-store.ts'
import { ENGINES, type Engine } from '../support/engines.ts'
import { findingsIn } from '../support/sound.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Case = readonly [rules: Rules, what: string, body: string | Buffer, rows: number]

/** Bodies that are read in another way than by these rules, and in how many rows they ended. */
const BODIES: readonly Case[] = [
  [
    1,
    'long numbers',
    metaJson(
      batch(
        change({ messages: [aText({ id: 'ONE' }), aText({ id: 'OTHER' })] }),
        change({ message_template_id: 'ONE' }, 'message_template_status_update'),
      ),
    )
      .replaceAll('"ONE"', '9007199254740993')
      .replaceAll('"OTHER"', '9007199254740992'),
    2,
  ],
  [
    1,
    'statuses of participants without a word of a group',
    metaJson(
      batch(
        change({
          statuses: ['14155550102', '14155550103'].map((participant) =>
            aStatus('A', 'read', { recipient_participant_id: participant }),
          ),
        }),
      ),
    ),
    1,
  ],
  [
    1,
    'fields of a message that had no place',
    metaJson(batch(change({ messages: [aText({ brand_new: 1, text: { body: '', more: 2 } })] }))),
    1,
  ],
  [
    2,
    'what happened to one group or person in one second',
    metaJson(
      batch(
        change(
          {
            groups: ['j1', 'j2'].map((join_request_id) => ({
              ...{ group_id: 'G', type: 'group_join_request_created', timestamp: '1751210150' },
              join_request_id,
            })),
          },
          'group_participants_update',
        ),
        change(
          {
            user_preferences: ['stop', 'resume'].map((value) => ({
              ...{ wa_id: '14155550100', category: 'marketing_messages', timestamp: 7 },
              value,
            })),
          },
          'user_preferences',
        ),
      ),
    ),
    2,
  ],
  [
    2,
    'odd chunks of a history',
    metaJson(
      batch(
        change({ history: ['odd one', 'odd two', { phase: 0, threads: 'odd three' }] }, 'history'),
      ),
    ),
    2,
  ],
  [
    2,
    'objects that nobody told us of',
    metaJson({
      ...batch(change({ messages: [aText()], surprise: [1], conversation_context: { a: 1 } })),
      more: [{ b: 1 }],
      another: { c: 1 },
    }),
    3,
  ],
  [
    2,
    'what a contact has beside names and addresses',
    metaJson(
      batch(
        change({
          messages: [aText()],
          contacts: [{ wa_id: '14155550100', identity_key_hash: 'x' }],
        }),
      ),
    ),
    1,
  ],
  [
    2,
    'notices that name a number inside of them',
    metaJson(
      batch(
        { field: 'messaging_handovers', value: { recipient: { phone_number_id: '106' } } },
        {
          field: 'account_settings_update',
          value: { phone_number_settings: { phone_number_id: '106' } },
        },
      ),
    ),
    2,
  ],
  [
    2,
    'contacts with a vCard only, also in an edit',
    metaJson(
      batch(
        change({
          messages: [
            aText({ type: 'contacts', contacts: [{ vcard: 'FN:Ann' }] }),
            aText({
              type: 'edit',
              edit: {
                original_message_id: 'A',
                message: { type: 'contacts', contacts: [{ vcard: 'FN:Ann' }] },
              },
            }),
          ],
        }),
      ),
    ),
    2,
  ],
  [
    2,
    'a new id that names no sender',
    metaJson(
      batch(
        change({
          messages: [
            aText({
              ...{ from: undefined, type: 'system', text: undefined },
              system: { type: 'user_changed_user_id', user_id: 'US.2' },
            }),
          ],
        }),
      ),
    ),
    1,
  ],
  [
    2,
    'errors with the time of their entry',
    metaJson({
      object: 'whatsapp_business_account',
      entry: [{ id: '7', time: 1736935200, changes: [change({ errors: [{ code: 1 }] })] }],
    }),
    1,
  ],
  [2, 'a body that is no text', Buffer.from('7bff7d', 'hex'), 1],
]

async function stored(directory: string, engine: Engine, intakes: readonly Intake[]) {
  const url = databaseUrl((await engine.newDatabase(directory)).url)
  const store = await openEitherStore(url)
  const outcomes = (await store.insert(intakes)).outcomes.flat()
  await store.close()
  return { url, created: outcomes.filter(({ kind }) => kind === 'created').length }
}

for (const engine of ENGINES) {
  describe(`what was stored by former rules on ${engine.name}`, () => {
    for (const [rules, what, body, rows] of BODIES) {
      it(`agrees with its body: ${what}`, async (test) => {
        const intake = intakeOf(body, rules)
        assert.notDeepEqual(intake.events, intakeOf(body).events)
        const { url, created } = await stored(temporaryDirectory(test), engine, [intake])
        assert.equal(created, rows)
        assert.deepEqual(await findingsIn(url), [])
      })

      it(`is told from what by no rules was in its body: ${what}`, async (test) => {
        const { events } = intakeOf(body, rules)
        const intakes = [{ ...intakeOf(metaJson(batch())), events }]
        const { url, created } = await stored(temporaryDirectory(test), engine, intakes)
        assert.equal((await findingsIn(url)).length, created)
      })
    }
  })
}
