// Several things may be amiss at once: health shows them all, the worst of them first.
import type { PluginContext } from 'mcpgw/plugin'

export interface Conditions {
  /** `undefined`: no longer. */
  set(about: string, why: string | undefined, status?: 'degraded' | 'failing'): void
}

export function createConditions(tell: PluginContext['health']): Conditions {
  const known = new Map<string, { readonly status: 'degraded' | 'failing'; readonly why: string }>()
  return {
    set(about, why, status = 'degraded') {
      if (why === undefined) {
        if (!known.delete(about)) return
      } else known.set(about, { status, why })
      const all = [...known.values()]
      const failing = all.filter(one => one.status === 'failing')
      const whys = [...failing, ...all.filter(one => one.status === 'degraded')].map(one => one.why)
      tell(all.length === 0 ? undefined : { status: failing.length > 0 ? 'failing' : 'degraded', why: whys.join('; ') })
    },
  }
}
