// What is wrong with the log at the moment, from several sides, as the one condition that health shows.
export interface Condition {
  readonly status: 'degraded' | 'failing'
  readonly why: string
}

/** `show` is told the worst: of what fails, else of what is degraded, every reason. Undefined where nothing is wrong. */
export function createConditions(
  show: (condition: Condition | undefined) => void,
): (side: string, condition: Condition | undefined) => void {
  const sides = new Map<string, Condition>()
  let shown = ''
  return (side, condition) => {
    if (condition === undefined) sides.delete(side)
    else sides.set(side, condition)
    const all = [...sides.values()]
    const status = all.some(one => one.status === 'failing') ? 'failing' : 'degraded'
    const why = all
      .filter(one => one.status === status)
      .map(one => one.why)
      .join('; ')
    if (shown === `${status} ${why}`) return
    shown = `${status} ${why}`
    show(all.length === 0 ? undefined : { status, why })
  }
}
