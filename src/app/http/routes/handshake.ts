// GET /webhook: Meta asks, when a callback URL is saved, whether it is really ours.
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { AppError } from '../../errors.ts'
import type { Activity } from '../../receive/activity.ts'
import { answerHandshake } from '../../receive/meta.ts'
import { PROBE_CHALLENGE } from '../../receive/probe.ts'
import { ERRORS, SHUTTING_DOWN } from '../api-types.ts'

export type HandshakeDeps = { readonly verifyToken: string; readonly activity: Activity }

const SCHEMA = {
  summary: 'Confirm the callback URL to Meta',
  description: 'Answers the challenge, and nothing else, where the token is META_VERIFY_TOKEN.',
  tags: ['webhook'],
  security: [],
  querystring: Type.Object({
    'hub.mode': Type.Optional(
      Type.String({ description: 'Always `subscribe`.', examples: ['subscribe'] }),
    ),
    'hub.verify_token': Type.Optional(
      Type.String({ description: 'META_VERIFY_TOKEN.', examples: ['a-token-of-your-own'] }),
    ),
    'hub.challenge': Type.Optional(
      Type.String({ description: 'What to answer.', examples: ['1158201444'] }),
    ),
  }),
  response: {
    200: {
      description: 'The challenge.',
      content: { 'text/plain': { schema: Type.String(), example: '1158201444' } },
    },
    400: ERRORS[400],
    403: ERRORS[403],
    500: ERRORS[500],
    503: SHUTTING_DOWN,
  },
}

type Query = Readonly<Record<'hub.mode' | 'hub.verify_token' | 'hub.challenge', unknown>>

/** Adds the routes to `app`. */
export function handshakeRoutes(
  app: FastifyInstance,
  { verifyToken, activity }: HandshakeDeps,
): void {
  for (const url of ['/webhook', '/webhook/cloud-api']) {
    app.get<{ Querystring: Query }>(
      url,
      {
        config: { access: 'public' },
        schema: SCHEMA,
        // Whatever is not as described is a handshake that fails, and no 422.
        validatorCompiler: () => () => true,
      },
      async ({ query }, reply) => {
        const { 'hub.mode': mode, 'hub.verify_token': token, 'hub.challenge': text } = query
        const handshake = { mode: once(mode), token: once(token), challenge: once(text) }
        const challenge = answerHandshake(verifyToken, handshake)
        const isProbe = handshake.challenge?.startsWith(PROBE_CHALLENGE) ?? false
        // Browsers and scanners come by without either, and say nothing about the callback URL.
        if (mode !== undefined && token !== undefined && !isProbe) {
          activity.handshake('cloud-api', Date.now(), challenge !== null)
        }
        if (challenge === null) throw new AppError('handshake_refused')
        return reply.type('text/plain; charset=utf-8').send(challenge)
      },
    )
  }
}

/** A parameter that is given twice means nothing. */
function once(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
