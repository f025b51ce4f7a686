// docs/deployment.md, and a shell that runs what it says.
import { spawn } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { readRepositoryFile } from './repository.ts'

export const guide = readRepositoryFile('docs/deployment.md')

export type Ended = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The commands of the guide's block that has `part` in it. */
export function commandsWith(part: string): string {
  const blocks = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines = '']) => lines)
  const [found, ...others] = blocks.filter((block) => block.includes(part))
  if (found === undefined || others.length > 0) throw new Error(`Not one block has "${part}".`)
  return found
}

type ShellOptions = {
  readonly cwd: string
  /** A directory whose programs come before all others. */
  readonly programs?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Who runs it. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  readonly input?: Uint8Array
}

/** Runs a script, with this Node.js as `node` and nothing of our own settings. */
export async function shell(script: string, options: ShellOptions): Promise<Ended> {
  const { cwd, programs = '', environment, user, input } = options
  const path = [programs, dirname(process.execPath), process.env['PATH']].filter(Boolean)
  const child = spawn('sh', ['-uc', script], {
    cwd,
    env: { PATH: path.join(delimiter), ...environment },
    ...user,
  })
  child.stdin.on('error', () => {}).end(input)
  const [code, stdout, stderr] = await Promise.all([
    new Promise<number | null>((resolve, reject) =>
      child.once('close', resolve).once('error', reject),
    ),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}
