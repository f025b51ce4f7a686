// One number against one bound.

export type Target = {
  readonly what: string
  readonly unit: string
  /** Decimal places of `value` and `by`. */
  readonly digits: number
  /** Null where it could not be measured. */
  readonly value: number | null
  /** What it is divided by; left out for an absolute target. */
  readonly by?: number | null
  readonly atLeast?: number
  readonly atMost?: number
  /** Why it is not measured, when there is a known reason. */
  readonly skipped?: string | undefined
}

export type Outcome = {
  readonly what: string
  /** The numbers that are compared. */
  readonly measured: string
  readonly ratio: string
  readonly target: string
  /** `holds`, `missed: 0.52 of 0.6`, or why there is none. */
  readonly verdict: string
  readonly state: 'holds' | 'missed' | 'none'
}

/** Whether a target holds. What was not measured never does. */
export function judge(target: Target): Outcome {
  const { what, unit, digits, value, by, atLeast, atMost, skipped } = target
  const bound = atLeast ?? atMost ?? Number.NaN
  const isRatio = by !== undefined
  const wanted = `${atLeast === undefined ? '≤' : '≥'} ${bound}${isRatio ? '' : ` ${unit}`}`
  if (value === null || by === null || skipped !== undefined) {
    const verdict = skipped ?? 'INVALID'
    return { what, measured: '', ratio: '', target: wanted, verdict, state: 'none' }
  }
  const number = isRatio ? value / by : value
  const holds = atLeast === undefined ? number <= bound : number >= bound
  const show = (of: number) => `${of.toFixed(digits)} ${unit}`
  const shown = isRatio ? number.toFixed(number < 1 ? 3 : 2) : number.toFixed(digits)
  return {
    what,
    measured: isRatio ? `${show(value)} : ${show(by)}` : show(value),
    ratio: isRatio ? shown : '',
    target: wanted,
    verdict: holds ? 'holds' : `missed: ${shown} of ${bound}`,
    state: holds ? 'holds' : 'missed',
  }
}
