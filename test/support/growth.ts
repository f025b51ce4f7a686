// How the time of some work grows with its size.

const TIMES = 8
const ROUNDS = 3
/** For so long it is repeated: what a system counts comes in steps of up to four. Milliseconds. */
const SPAN_MS = 20

/**
 * How many times as long it takes for eight times the size: about 8 where the time grows as the size
 * does, 64 where it grows as its square. It is time of this thread on a processor, whatever else the
 * machine does, and the shortest of three, as code is compiled on the way. What is made for a size is
 * not measured.
 */
export function growthOf<Made>(
  size: number,
  make: (size: number) => Made,
  work: (made: Made) => void,
): number {
  const [one, eight] = [make(size), make(TIMES * size)]
  return shortestOf(() => work(eight)) / shortestOf(() => work(one))
}

function shortestOf(work: () => void): number {
  return Math.min(...Array.from({ length: ROUNDS }, () => timeOf(work)))
}

/** What it takes once, in ms. */
function timeOf(work: () => void): number {
  const start = busyMs()
  let spent = 0
  let runs = 0
  while (spent < SPAN_MS) {
    work()
    runs++
    spent = busyMs() - start
  }
  return spent / runs
}

/** How long this thread has had a processor. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
