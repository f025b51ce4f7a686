// The routes that a server really has, as its router tells them.
import type { FastifyInstance } from 'fastify'

export type Route = { readonly path: string; readonly methods: readonly string[] }

/** Every route, hidden ones included, of a server that is ready. */
export function routesOf(app: FastifyInstance): readonly Route[] {
  const parents: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const match = /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/.exec(line)
      if (match === null) return []
      const [, indent = '', part = '', methods] = match
      parents.length = indent.length / 4
      const path = parents.join('') + part
      parents.push(part)
      return methods === undefined ? [] : [{ path, methods: methods.split(', ') }]
    })
}
