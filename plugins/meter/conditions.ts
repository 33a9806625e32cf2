// The plugin has one place in health, and several sides that may have something to say.
import type { PluginContext } from 'mcpgw/plugin'

/** Tells health what all sides say; `undefined`: this side is well. No call waits for the meter, so nothing here is worse than degraded. */
export function createConditions(health: PluginContext['health']): (side: string, why: string | undefined) => void {
  const sides = new Map<string, string>()
  return (side, why) => {
    if (why === undefined) sides.delete(side)
    else sides.set(side, why)
    health(sides.size === 0 ? undefined : { status: 'degraded', why: [...sides.values()].join('; ') })
  }
}
