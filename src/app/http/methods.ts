// A path that is known, asked for with a method that it does not have.
import { METHODS as httpMethods } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../errors.ts'

/** All that Node reads, but for tunnels, which never become requests. */
const METHODS = httpMethods.filter((method) => method !== 'CONNECT')
const ROUTABLE = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Of each path that is known, the methods it has. */
export type MethodsByPath = Map<string, Set<string>>

/** Notes the methods of every route that is added from now on. */
export function collectRoutes(app: FastifyInstance): MethodsByPath {
  const routes: MethodsByPath = new Map()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    routes.set(url, methods)
  })
  return routes
}

/** A known path with another method is 405 and names the methods it has. */
export function refuseOtherMethods(app: FastifyInstance, routes: MethodsByPath): void {
  // Otherwise they would be 404 on every path, and QUERY an error of Fastify's own.
  for (const method of METHODS.filter((method) => !ROUTABLE.includes(method))) {
    app.addHttpMethod(method, { overrideExisting: true })
  }
  for (const [url, methods] of [...routes]) {
    const allow = [...methods].join(', ')
    app.route({
      url,
      method: METHODS.filter((method) => !methods.has(method)),
      config: { access: 'public' },
      schema: { hide: true },
      handler: (_request, reply) => {
        reply.header('allow', allow)
        throw new AppError('method_not_allowed')
      },
    })
  }
}
