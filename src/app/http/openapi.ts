// The frame of the API's description; the routes fill it in.
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { Config } from '../config.ts'

/** Options for @fastify/swagger: OpenAPI 3.1 with one security scheme, a bearer key. */
export function openApi({ appName, appVersion }: Config): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: appName,
        version: appVersion,
        description:
          'Takes in WhatsApp\'s webhooks, stores every event exactly once, and lets them be searched, counted and followed. Errors are `{"detail": …}`, but for `/health/ready`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'webhook', description: 'Webhooks come in.' },
        { name: 'messages', description: 'Messages are read.' },
        { name: 'events', description: 'Everything that was committed is followed.' },
        { name: 'health', description: 'For load balancers and supervisors.' },
        { name: 'operation', description: 'For monitoring.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key from API_KEYS, or the one that the service generated.',
          },
        },
      },
      security: [{ key: [] }],
    },
  }
}
