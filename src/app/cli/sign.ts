// The command `sign`: the signature of some bytes, as X-Signature carries it.
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { signBody } from '../receive/verify.ts'
import { type Command, ENDED, parseOptions, print } from './command.ts'
import { configuration, signingSecret } from './settings.ts'

const HELP = `
Usage: node src/main.ts sign [FILE]

Prints the signature of FILE, or of stdin: lower-case hex of HMAC-SHA256(WEBHOOK_SECRET, bytes),
which is what the header X-Signature carries. Send exactly the bytes that were signed: curl needs
--data-binary, for -d drops line ends. With several secrets in WEBHOOK_SECRET the first one signs.

  curl localhost:8000/webhook --data-binary @message.json \\
    -H "X-Signature: $(node src/main.ts sign message.json)"

Exit codes: 0 signed, 1 failed, 2 wrong usage or configuration.
`

/** Prints a signature. */
export const signCommand: Command = {
  name: 'sign',
  summary: 'Print the signature of a file or of stdin.',
  help: HELP,
  run: async (args) => {
    const { argument } = parseOptions(args, {}, 'FILE')
    const secret = signingSecret(configuration())
    const body = argument === undefined ? await buffer(process.stdin) : readFile(argument)
    print(signBody(secret, body))
    return ENDED
  },
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${file} can't be read (${code}).`, { cause: error })
  }
}
