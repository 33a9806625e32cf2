// The boot report: what was loaded, from where, in which order, and how long each took; as data and as a tree.
import type { Capability } from '../plugin/index.ts'

export interface PluginReport {
  readonly name: string
  readonly source: 'built-in' | 'path' | 'package' | 'given'
  readonly capabilities: readonly Capability[]
  readonly discharges: readonly string[]
  readonly failure: 'open' | 'closed'
  /** Milliseconds. */
  readonly ms: { readonly load: number; readonly setup: number; readonly start: number }
}

export interface BootReport {
  readonly version: string
  /** No deciding plugin is loaded: everything is let through. */
  readonly open: boolean
  readonly plugins: readonly PluginReport[]
  readonly ms: number
}

export const OPEN_NOTICE = 'open: no loaded plugin decides, every call is let through'

/** Lines without colour, the order of the calls from top to bottom. */
export function renderReport({ version, open, plugins, ms }: BootReport): string {
  const width = Math.max(0, ...plugins.map(plugin => plugin.name.length))
  const lines = plugins.map((plugin, i) => {
    const branch = i === plugins.length - 1 && !open ? '└─' : '├─'
    const can = [
      ...plugin.capabilities,
      ...plugin.discharges.map(name => `discharges ${name}`),
      ...(plugin.failure === 'open' ? ['fails open'] : []),
    ]
    const { load, setup, start } = plugin.ms
    const times = `${whole(load + setup + start)} (load ${whole(load)}, setup ${whole(setup)}, start ${whole(start)})`
    return `${branch} ${plugin.name.padEnd(width)}  ${plugin.source}  ${can.join(', ') || 'no capabilities'}  ${times}`
  })
  return [`mcpgw ${version}  ${whole(ms)}`, ...lines, ...(open ? [`└─ ${OPEN_NOTICE}`] : [])].join('\n')
}

function whole(ms: number): string {
  return `${Math.round(ms)} ms`
}
