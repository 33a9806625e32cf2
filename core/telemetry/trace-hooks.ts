// Every hook that is called for a call is a span below its own: the waterfall of the plugins.
import { chain } from '../awaitable.ts'
import { stateOf } from '../exchange.ts'
import { findExchange, type Guard, HookFailure } from '../guard.ts'
import type { Clock } from '../plugin/index.ts'

export function traceHooks(guard: Guard, clock: Pick<Clock, 'mono'>): Guard {
  return {
    call(site, hook, a, b) {
      const x = findExchange(a, b)
      const span = x && stateOf(x).span
      if (span === undefined || !span.context.isSampled) return guard.call(site, hook, a, b)
      const since = clock.mono()
      return chain(guard.call(site, hook, a, b), result => {
        span.hook(site.plugin, site.hook, since, result instanceof HookFailure ? result.why : undefined)
        return result
      })
    },
    pending: guard.pending,
  }
}
