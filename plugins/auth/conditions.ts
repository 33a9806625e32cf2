// Several conditions of one plugin, shown in health as one: the worst, with the reasons of all.
import type { PluginContext } from 'mcpgw/plugin'

type Show = PluginContext['health']

/** Each call gives the condition of one more part. */
export function createConditions(show: Show): () => Show {
  const states = new Map<object, NonNullable<Parameters<Show>[0]>>()
  return () => {
    const part = {}
    return state => {
      if (state === undefined) states.delete(part)
      else states.set(part, state)
      const all = [...states.values()]
      if (all.length === 0) return show(undefined)
      show({ status: all.some(({ status }) => status === 'failing') ? 'failing' : 'degraded', why: all.map(({ why }) => why).join('; ') })
    }
  }
}
