// The query part: the same requests to two services, one with a thousand messages and one with
// many, in turn, so that whatever disturbs the machine disturbs both.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { filledDatabase } from './fill.ts'
import { type LikeScan, likeScan } from './like-scan.ts'
import type { Options } from './options.ts'
import { SERVICE } from './programs.ts'
import { QueryClient } from './query-client.ts'
import { RARE_HITS, RARE_TEXTS } from './rare-texts.ts'
import { type Running, runProgram } from './run-program.ts'
import { median } from './statistics.ts'

/** Medians of one round in ms. */
export type QueryRound = {
  readonly part: 'queries'
  readonly round: number
  readonly few: number
  readonly many: number
  readonly statsFewMs: number
  readonly statsManyMs: number
  readonly firstPageFewMs: number
  readonly firstPageManyMs: number
  readonly lastPageManyMs: number
  readonly searchMs: number
  readonly likeMs: number
  readonly readyMs: number
  /** Why the numbers count for nothing; empty when they do. */
  readonly faults: readonly string[]
}

const FEW = 1000
/** The default page. */
const LIMIT = 50
const WARM_UP = 50

type Databases = { readonly few: string; readonly many: string }

/** Fills the databases where needed and measures them, round by round. */
export async function measureQueries(
  options: Options,
  tell: (text: string) => void,
): Promise<QueryRound[]> {
  const { directory, messages, refill } = options
  tell(`queries: preparing ${messages} messages`)
  const few = await filledDatabase({ directory, messages: FEW, refill })
  const many = await filledDatabase({ directory, messages, refill })
  const rounds: QueryRound[] = []
  for (let round = 1; round <= options.rounds; round++) {
    const result = await measureRound({ few, many }, round, options)
    rounds.push(result)
    tell(lineFor(result))
  }
  return rounds
}

async function measureRound(
  databases: Databases,
  round: number,
  options: Options,
): Promise<QueryRound> {
  const directory = mkdtempSync(join(options.directory, 'bench-queries-'))
  const running: Running[] = []
  try {
    for (const database of [databases.few, databases.many]) {
      running.push(await runProgram(SERVICE, { directory, database }))
    }
    const clients = await Promise.all(running.map(({ port }) => QueryClient.open(port)))
    const [few, many] = clients
    if (few === undefined || many === undefined) throw new Error('A client is missing.')
    const pages = await measurePages({ few, many }, options)
    const search = await measureSearch(many, databases.many, options.quick)
    for (const client of clients) client.close()
    for (const service of running.splice(0)) await service.stop()
    const readyMs = await measureStarts(directory, databases.many, options.quick)
    const { messages } = options
    return { part: 'queries', round, few: FEW, many: messages, ...pages, ...search, readyMs }
  } finally {
    for (const service of running) await service.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Medians of the times of pages and statistics, few messages and many in turn, in ms. */
export async function measurePages(
  { few, many }: { few: QueryClient; many: QueryClient },
  { messages, quick }: Pick<Options, 'messages' | 'quick'>,
) {
  const last = await lastPage(many, messages)
  const requests = [
    { client: few, path: '/stats' },
    { client: many, path: '/stats' },
    { client: few, path: `/messages?limit=${LIMIT}` },
    { client: many, path: `/messages?limit=${LIMIT}` },
    { client: many, path: last },
  ]
  const times = requests.map((): number[] => [])
  const count = quick ? 100 : 500
  for (let i = 0; i < WARM_UP + count; i++) {
    for (const [which, { client, path }] of requests.entries()) {
      const { ms } = await client.get(path)
      if (i >= WARM_UP) times[which]?.push(ms)
    }
  }
  const [statsFewMs, statsManyMs, firstPageFewMs, firstPageManyMs, lastPageManyMs] = times.map(
    median,
  ) as [number, number, number, number, number]
  return { statsFewMs, statsManyMs, firstPageFewMs, firstPageManyMs, lastPageManyMs }
}

/** The last page that is full, by the cursor that leads to it. */
async function lastPage(client: QueryClient, messages: number): Promise<string> {
  const before = await client.get(`/messages?limit=${LIMIT}&offset=${messages - 2 * LIMIT}`)
  const path = `/messages?limit=${LIMIT}&cursor=${before.page.next_cursor}`
  const { page } = await client.get(path)
  if (page.data?.length !== LIMIT || page.next_cursor !== null) {
    throw new Error('The cursor does not lead to the last page.')
  }
  return path
}

async function measureSearch(client: QueryClient, file: string, quick: boolean) {
  const { searchMs, faults } = await measureSearches(client, quick)
  const scans: LikeScan[] = RARE_TEXTS.map((text) => likeScan(file, text))
  for (const { text, hits } of scans) {
    if (hits !== RARE_HITS) faults.push(`LIKE found "${text}" ${hits} times, not ${RARE_HITS}`)
  }
  return { searchMs, likeMs: median(scans.map(({ ms }) => ms)), faults }
}

/** The median time of searches with 20 hits each, in ms; faults where they were not. */
export async function measureSearches(client: QueryClient, quick: boolean) {
  const faults: string[] = []
  const searches: number[] = []
  for (let i = 0; i < (quick ? 10 : 40) * RARE_TEXTS.length; i++) {
    const text = RARE_TEXTS[i % RARE_TEXTS.length] ?? ''
    const { ms, page } = await client.get(`/messages?q=${encodeURIComponent(text)}`)
    if (i >= RARE_TEXTS.length) searches.push(ms)
    if (page.total !== RARE_HITS || page.data?.length !== RARE_HITS) {
      faults.push(`the search for "${text}" found ${page.total} of ${RARE_HITS}`)
    }
  }
  return { searchMs: median(searches), faults }
}

async function measureStarts(directory: string, database: string, quick: boolean) {
  const times: number[] = []
  for (let i = 0; i < (quick ? 2 : 5); i++) {
    const service = await runProgram(SERVICE, { directory, database })
    times.push(service.readyMs)
    await service.stop()
  }
  return median(times)
}

function lineFor(round: QueryRound): string {
  const { statsManyMs, firstPageManyMs, lastPageManyMs, searchMs, likeMs, readyMs, faults } = round
  const line = `round ${round.round}: queries: stats ${statsManyMs.toFixed(2)}, first page ${firstPageManyMs.toFixed(2)}, last page ${lastPageManyMs.toFixed(2)}, search ${searchMs.toFixed(2)}, LIKE ${likeMs.toFixed(0)}, ready ${readyMs.toFixed(0)} ms`
  return faults.length === 0 ? line : `${line}\n  INVALID: ${faults.join('; ')}`
}
