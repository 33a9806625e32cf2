// Loads plugins without setting them up and proves their order: for the commands that tell about plugins.
import type { Assembled } from '../config/assemble.ts'
import type { Finding } from '../config/render.ts'
import type { PluginEntry } from '../config/schema.ts'
import { placePluginConfig, placeValue } from '../config/trace.ts'
import type { Finding as KernelFinding } from '../finding.ts'
import { type CheckedPlugin, loadPlugin } from '../loader.ts'
import { proveOrder, toOrdered } from '../order.ts'

export interface PluginsChecked {
  /** Those that could be loaded, in the order given. */
  readonly plugins: readonly { readonly name: string; readonly source: string; readonly capabilities: readonly string[] }[]
  /** The same, as a start has them. */
  readonly loaded: readonly CheckedPlugin[]
  readonly findings: readonly Finding[]
}

type Origins = Assembled['origins']

export async function checkPlugins(entries: readonly PluginEntry[], dir: string, origins: Origins): Promise<PluginsChecked> {
  const results = await Promise.all(entries.map(entry => loadPlugin(entry, dir)))
  const loaded = results.flatMap(one => (one.kind === 'loaded' ? [one.checked] : []))
  const findings = results.flatMap(one => (one.kind === 'refused' ? one.findings : []))
  const order = proveOrder(loaded.map(toOrdered))
  return {
    loaded,
    plugins: loaded.map(({ plugin, capabilities, source }) => ({ name: plugin.name, source, capabilities: [...capabilities] })),
    findings: [...findings, ...order].map(one => toFinding(one, entries, origins)),
  }
}

/** Whose paths lead into the config. */
const OF_CONFIG: ReadonlySet<string> = new Set(['server-unreachable', 'server-registered', 'telemetry-unmasked', 'needs-restart'])

/** At the place in the plugin's own config where it is about a part of it, else where the plugin or the address was set. */
export function toFinding(
  { code, message, help, at, path, plugin }: KernelFinding,
  entries: readonly PluginEntry[],
  origins: Origins,
): Finding {
  const index = entries.findIndex(entry => (at === undefined ? entry.name === plugin : entry.at === at))
  const own = (path ?? []).map(String)
  const tls =
    code === 'listen-tls' ? placeValue(['listen', 'tls', ...own], origins) : OF_CONFIG.has(code) ? placeValue(own, origins) : undefined
  const subject = code.startsWith('listen-') ? ['listen', 'host'] : ['plugins', String(index), 'name']
  const place = tls ?? (path === undefined ? undefined : placePluginConfig(index, path, origins)) ?? placeValue(subject, origins)
  const inner = tls !== undefined || path === undefined || path.length === 0 ? '' : ` (at ${path.join('.')})`
  return {
    code,
    severity: 'error',
    message: `${message}${inner}`,
    ...(place ?? { file: at?.file ?? 'the defaults' }),
    ...(help === undefined ? {} : { help }),
  }
}
