// Loads plugins without setting them up and proves their order: for the commands that tell about plugins.
import type { Assembled } from '../config/assemble.ts'
import type { Finding } from '../config/render.ts'
import type { PluginEntry } from '../config/schema.ts'
import { placePluginConfig } from '../config/trace.ts'
import type { Finding as KernelFinding } from '../finding.ts'
import { type CheckedPlugin, loadPlugin } from '../loader.ts'
import { proveOrder } from '../order.ts'

export interface PluginsChecked {
  /** Those that could be loaded, in the order given. */
  readonly plugins: readonly { readonly name: string; readonly source: string; readonly capabilities: readonly string[] }[]
  readonly findings: readonly Finding[]
}

type Origins = Assembled['origins']

export async function checkPlugins(entries: readonly PluginEntry[], dir: string, origins: Origins): Promise<PluginsChecked> {
  const results = await Promise.all(entries.map(entry => loadPlugin(entry, dir)))
  const loaded = results.flatMap(one => (one.kind === 'loaded' ? [one.checked] : []))
  const findings = results.flatMap(one => (one.kind === 'refused' ? one.findings : []))
  const order = proveOrder(loaded.map(toOrdered))
  return {
    plugins: loaded.map(({ plugin, capabilities, source }) => ({ name: plugin.name, source, capabilities: [...capabilities] })),
    findings: [...findings, ...order].map(one => toFinding(one, entries, origins)),
  }
}

function toOrdered({ plugin, capabilities, at }: CheckedPlugin): Parameters<typeof proveOrder>[0][number] {
  const { name, provides = [], requires = [], discharges = [] } = plugin
  return { name, capabilities, provides, requires, discharges, at }
}

/** With the place in the plugin's own config, where the finding is about a part of it. */
export function toFinding(
  { code, message, help, at, path, plugin }: KernelFinding,
  entries: readonly PluginEntry[],
  origins: Origins,
): Finding {
  const index = entries.findIndex(entry => at !== undefined && entry.at === at)
  const placed = path === undefined || index === -1 ? undefined : placePluginConfig(index, path, origins)
  const entry =
    at === undefined ? { file: plugin === undefined ? 'listen' : 'plugins' } : { file: at.file, line: at.line, column: at.column }
  const inner = path === undefined || path.length === 0 ? '' : ` (at ${path.join('.')})`
  return { code, severity: 'error', message: `${message}${inner}`, ...(placed ?? entry), ...(help === undefined ? {} : { help }) }
}
