// As much of a Dockerfile as ours uses: parsed, and built into a directory that stands for the
// image's root. No engine takes part.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync } from 'node:fs'
import { join, posix } from 'node:path'

export type Instruction = { readonly name: string; readonly text: string }
export type Stage = {
  readonly base: string
  readonly name: string | null
  readonly instructions: readonly Instruction[]
}

export type Image = {
  /** The directory that stands for `/`. */
  readonly root: string
  readonly workdir: string
  readonly env: Readonly<Record<string, string>>
  readonly user: string
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

/** Instructions with their continuation lines joined; comments left out. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  const joined = lines.join('\n').replace(/\\\n\s*/g, ' ')
  const stages: { base: string; name: string | null; instructions: Instruction[] }[] = []
  for (const line of joined.split('\n')) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? []
    if (name === 'FROM') {
      const [base = '', , stage] = rest.split(/\s+/)
      stages.push({ base, name: stage ?? null, instructions: [] })
    } else {
      stages.at(-1)?.instructions.push({ name, text: rest })
    }
  }
  return stages
}

export type BuildOptions = {
  /** The build context: what .dockerignore lets through. */
  readonly context: string
  /** Where the stages' roots are made. */
  readonly directory: string
  /** Who stands for the image's user. */
  readonly user: { readonly uid: number; readonly gid: number }
  readonly path: string
}

/** Builds every stage; the last one is the image. Throws at an instruction it does not know. */
export function buildImage(stages: readonly Stage[], options: BuildOptions): Image {
  const roots = new Map<string, string>()
  const images = stages.map((stage, i) => {
    const root = join(options.directory, `stage-${i}`)
    if (stage.name !== null) roots.set(stage.name, root)
    return buildStage(stage, root, { ...options, roots })
  })
  const image = images.at(-1)
  if (image === undefined) throw new Error('The Dockerfile has no stage.')
  return image
}

type StageOptions = BuildOptions & { readonly roots: ReadonlyMap<string, string> }

function buildStage(stage: Stage, root: string, options: StageOptions): Image {
  let image: Image = { root, workdir: '/', env: {}, user: 'root', command: [], healthCheck: [] }
  mkdirSync(root, { recursive: true })
  chmodSync(root, 0o755)
  for (const { name, text } of stage.instructions) {
    if (name === 'WORKDIR') {
      image = { ...image, workdir: text }
      mkdirSync(join(root, text), { recursive: true })
    } else if (name === 'COPY') copy(text, image, options)
    else if (name === 'RUN') run(text, image, options)
    else if (name === 'ENV') image = { ...image, env: { ...image.env, ...assignments(text) } }
    else if (name === 'USER') image = { ...image, user: text }
    else if (name === 'CMD') image = { ...image, command: JSON.parse(text) }
    else if (name === 'HEALTHCHECK') {
      image = { ...image, healthCheck: JSON.parse(text.slice(text.indexOf('['))) }
    } else if (!['EXPOSE', 'VOLUME', 'STOPSIGNAL'].includes(name)) {
      throw new Error(`This test does not know what ${name} does.`)
    }
  }
  return image
}

function copy(text: string, { root, workdir }: Image, { context, roots }: StageOptions): void {
  const words = text.split(/\s+/)
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const paths = words.filter((word) => !word.startsWith('--'))
  const source = from === undefined ? context : roots.get(from)
  const target = paths.pop()
  if (source === undefined || target === undefined) throw new Error(`COPY ${text} has no source.`)
  const absolute = join(root, posix.resolve(workdir, target))
  for (const path of paths) {
    const found = join(source, path)
    if (!existsSync(found)) throw new Error(`COPY ${text}: ${path} is not there.`)
    const into = target.endsWith('/') ? join(absolute, posix.basename(path)) : absolute
    cpSync(found, into, { recursive: true, verbatimSymlinks: true })
  }
}

/** The image's environment, with its absolute paths as paths below its root. */
export function environmentOf({ env, root }: Image): Record<string, string> {
  const here = (value: string) => value.replace(/(^|:\/\/\/)\//, `$1${root}/`)
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)]))
}

/** Absolute paths of the image become paths below its root, its user whoever stands for it. */
function run(command: string, image: Image, { user, path }: StageOptions): void {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const here = command
    .replaceAll(' /', ` ${image.root}/`)
    .replaceAll('-o 1000 -g 1000', `-o ${user.uid} -g ${user.gid}`)
    .replaceAll('root:root', `${self.uid}:${self.gid}`)
  execFileSync('sh', ['-ec', here], {
    cwd: join(image.root, image.workdir),
    ...(image.user === 'root' ? self : user),
    env: {
      ...environmentOf(image),
      PATH: path,
      HOME: process.env['HOME'],
      // A machine's own authorities, where its registry is behind one.
      NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
      npm_config_prefer_offline: 'true',
      npm_config_loglevel: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** `NAME=value` pairs; values without quotes or blanks. */
function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(/\s+/)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
}
