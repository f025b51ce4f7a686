// How the time of some work grows with its size.

const TIMES = 8
/** Less says nothing: what else the machine does takes as long. Milliseconds. */
const LEAST = 0.5

/**
 * How many times as long it takes for eight times the size: about 8 where the time grows as the size
 * does, 64 where it grows as its square. The shortest of five, since others use the machine too; what
 * is made for a size is not measured.
 */
export function growthOf<Made>(
  size: number,
  make: (size: number) => Made,
  work: (made: Made) => void,
) {
  const [one, eight] = [size, TIMES * size].map((each) => {
    const made = make(each)
    return shortestOf(() => work(made))
  })
  return (eight ?? 0) / Math.max(one ?? 0, LEAST)
}

function shortestOf(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return Math.min(...times)
}
