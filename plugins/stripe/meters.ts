// Which usage counts into which meter: the entries of the config, one rule for each event.
import { compileGlob } from 'mcpgw/plugin'
import type { MeterRule, Quantity } from './config.ts'

/** Of one meter. Several entries for it are one rule: what fits two of them counts once. */
export interface Counted {
  readonly event: string
  readonly of: Quantity
  readonly counts: (row: { readonly server: string; readonly target: string }) => boolean
}

export function compileMeters(rules: readonly MeterRule[]): Counted[] {
  const meters = new Map<string, Counted>()
  for (const { event, of, server, tool } of rules) {
    const [isServer, isTool] = [compileGlob(server), compileGlob(tool)]
    const key = JSON.stringify([event, of])
    const other = meters.get(key)?.counts ?? (() => false)
    meters.set(key, { event, of, counts: row => (isServer(row.server) && isTool(row.target)) || other(row) })
  }
  return [...meters.values()]
}
