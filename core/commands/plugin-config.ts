// The part of the config that a plugin's verb runs on, checked by the plugin's schema.
import type { Loaded } from '../config/load.ts'
import { type Finding, renderDiagnostics } from '../config/render.ts'
import { placePluginConfig } from '../config/trace.ts'
import type { AnyPlugin } from '../loader.ts'
import type { StandardIssue } from '../plugin/index.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'

export interface PluginConfig {
  readonly loaded: Loaded
  readonly own: unknown
}

/** Undefined where it does not load; then the reason has been told on stderr. */
export async function loadPluginConfig(plugin: AnyPlugin, entryName: string, io: VerbIo): Promise<PluginConfig | undefined> {
  const loaded = await loadFor(io)
  if (loaded === 2) return undefined
  const index = loaded.config.plugins.findIndex(({ name }) => name === entryName)
  const checked = await plugin.config['~standard'].validate(loaded.config.plugins[index]?.config ?? {})
  if (checked.issues === undefined) return { loaded, own: checked.value }
  if (index < 0) {
    // Its defaults alone do not do: what is missing is not a member, but the plugin.
    const message = `the config names no plugin "${entryName}", and this command needs its settings`
    io.err(renderDiagnostics([{ code: 'plugin-config', severity: 'error', message, file: loaded.file ?? 'the defaults' }], io.color.err))
    return undefined
  }
  const found = checked.issues.map(issue => toFinding(plugin.name, issue, index, loaded))
  io.err(renderDiagnostics(found, io.color.err))
  return undefined
}

function toFinding(plugin: string, { message, path = [] }: StandardIssue, index: number, loaded: Loaded): Finding {
  const steps = path.map(part => String(typeof part === 'object' ? part.key : part))
  const inner = steps.length === 0 ? '' : ` (at ${steps.join('.')})`
  const place = placePluginConfig(index, steps, loaded.origins) ?? { file: loaded.file ?? 'the defaults' }
  return { code: 'plugin-config', severity: 'error', message: `${plugin}: ${message}${inner}`, ...place }
}
