// A plugin has one place in health, and several sides that may have something to say at once.
import type { PluginContext } from './plugin.ts'

/** What is amiss on one side of a plugin; undefined: nothing any more. Default status `degraded`. */
export type TellCondition = (side: string, why: string | undefined, status?: 'degraded' | 'failing') => void

/** Shows health what all sides say, the worst first, and its status; `show` is called where that changes. */
export function createConditions(show: PluginContext['health']): TellCondition {
  const sides = new Map<string, { readonly status: 'degraded' | 'failing'; readonly why: string }>()
  let shown = ''
  return (side, why, status = 'degraded') => {
    if (why === undefined) sides.delete(side)
    else sides.set(side, { status, why })
    const all = [...sides.values()]
    const failing = all.filter(one => one.status === 'failing')
    const whys = [...failing, ...all.filter(one => one.status === 'degraded')].map(one => one.why).join('; ')
    const worst = failing.length > 0 ? 'failing' : 'degraded'
    const next = all.length === 0 ? '' : `${worst} ${whys}`
    if (next === shown) return
    shown = next
    show(all.length === 0 ? undefined : { status: worst, why: whys })
  }
}
