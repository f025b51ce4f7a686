// `serve` on the command line. The service itself is loaded only when it is asked for.
import { type Command, parseOptions } from './command.ts'

const HELP = `
Usage: node src/main.ts serve [--init]

Runs the service until SIGTERM or SIGINT.

Options:
  --init   First write .env with a random WEBHOOK_SECRET where there is neither a .env nor
           a WEBHOOK_SECRET, or fill the empty one of a .env; read without a key from this
           machine (READ_ACCESS=local) unless told otherwise, and print a signed curl. This
           is what npm start does.

Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage or configuration, or a database that
only another configuration or version of the service, or its own administrator, can mend.
`

/** Runs the service. */
export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the service until SIGTERM or SIGINT.',
  help: HELP,
  run: async (args) => {
    const { values } = parseOptions(args, { init: { type: 'boolean' } })
    const { serve } = await import('./serve.ts')
    return serve({ init: values.init === true })
  },
}
