// A server offers something otherwise than the lock says: log, record and health tell of it, each difference once.
import { type PluginContext, Recording } from 'mcpgw/plugin'
import type { Drift, PinOptions } from './pins.ts'

export interface DriftReport {
  readonly onChange: PinOptions['onChange']
  /** For a new lock: what differed from the last one is forgotten. */
  reset(): void
}

/** `tell`: for health; undefined where nothing differs any more. */
export function createDriftReport(ctx: Pick<PluginContext, 'log' | 'find'>, tell: (why: string | undefined) => void): DriftReport {
  const open = new Map<string, Drift>()
  const show = (): void => {
    const [first] = open.values()
    if (first === undefined) return tell(undefined)
    const more = open.size === 1 ? '' : `, and ${open.size - 1} more`
    tell(`not as the catalog lock has it: ${first.kind} ${first.server}/${first.name.slice(0, 100)}${more}; see mcpgw catalog diff`)
  }
  return {
    onChange(drift, isGone) {
      const { server, kind, locked, now } = drift
      const name = drift.name.slice(0, 200)
      const key = [server, kind, drift.name].join('\0')
      const isKnown = open.get(key)?.now === now
      if (isGone) open.delete(key)
      else if (!isKnown) {
        open.set(key, drift)
        const told = { server, kind, name, ...(locked !== undefined && { locked }), now }
        ctx.log.warn(locked === undefined ? 'offered, but not in the catalog lock' : 'not as the catalog lock has it', told)
        ctx
          .find(Recording)
          ?.event({ type: 'catalog.drift', detail: told })
          .catch(error => ctx.log.error('an event could not be recorded', { type: 'catalog.drift', error: String(error) }))
      }
      show()
    },
    reset() {
      open.clear()
      show()
    },
  }
}
