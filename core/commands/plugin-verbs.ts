// The verbs that plugins bring, as verbs of the CLI: run without booting a gateway, on the plugin's checked config.
import { systemClock } from '../clock.ts'
import { builtInPlugins, type Loaded, loadConfig } from '../config/load.ts'
import { type Finding, renderDiagnostics } from '../config/render.ts'
import { placePluginConfig } from '../config/trace.ts'
import { createLog } from '../log.ts'
import type { Command, CommandIo, Plugin, StandardIssue } from '../plugin/index.ts'
import { loadFor, loadOptions } from './load-for.ts'
import { openStores } from './stores.ts'
import type { Surroundings, Verb, VerbIo } from './verb.ts'

/** Verbs of the built-in plugins, or of those named. A plugin that cannot be imported is told and left out. */
export async function builtInVerbs(names: readonly string[] = builtInPlugins, around: Pick<Surroundings, 'err'>): Promise<Verb[]> {
  const found = await Promise.all(names.map(name => importPlugin(name, around)))
  return found.flatMap(plugin => (plugin === undefined ? [] : verbsOf(plugin, plugin.name)))
}

/** Verbs of the further plugins that the config names. A config that does not load has none; its own verb will say why. */
export async function configuredVerbs(words: readonly string[], around: Surroundings): Promise<Verb[]> {
  const at = words.findIndex(word => word === '-c' || word === '--config')
  const options = loadOptions({ ...around, options: at === -1 ? {} : { config: words[at + 1] } })
  const result = await loadConfig(options)
  if (!result.ok) return []
  const others = result.config.plugins.filter(({ name }) => !builtInPlugins.includes(name))
  if (others.length === 0) return []
  const { loadPlugin } = await import('../loader.ts')
  const loaded = await Promise.all(others.map(entry => loadPlugin(entry, around.cwd)))
  return loaded.flatMap((one, index) => (one.kind === 'loaded' ? verbsOf(one.checked.plugin, others[index]?.name ?? '') : []))
}

// biome-ignore lint/suspicious/noExplicitAny: the type of a plugin's config is its own affair
type AnyPlugin = Plugin<any>

async function importPlugin(name: string, around: Pick<Surroundings, 'err'>): Promise<AnyPlugin | undefined> {
  const specifier = `mcpgw/plugins/${name}`
  try {
    return ((await import(/* @vite-ignore */ specifier)) as { default: AnyPlugin }).default
  } catch (error) {
    around.err(`warning[plugin-broken]: the plugin ${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}\n`)
    return undefined
  }
}

// `entryName`: what the config calls the plugin.
function verbsOf(plugin: AnyPlugin, entryName: string): Verb[] {
  return (plugin.commands ?? []).map(command => ({ ...command, load: async () => io => runPluginCommand(plugin, entryName, command, io) }))
}

async function runPluginCommand(plugin: AnyPlugin, entryName: string, command: Command<unknown>, io: VerbIo): Promise<number> {
  const loaded = await loadFor(io)
  if (loaded === 2) return 2
  const index = loaded.config.plugins.findIndex(({ name }) => name === entryName)
  const checked = await plugin.config['~standard'].validate(loaded.config.plugins[index]?.config ?? {})
  if (checked.issues !== undefined) {
    const found = checked.issues.map(issue => toFinding(plugin.name, issue, index, loaded))
    io.err(renderDiagnostics(found, io.color.err))
    return 2
  }
  const log = createLog({ level: loaded.config.log === 'info' ? 'warn' : loaded.config.log, write: line => io.err(line) })
  const { args, json, signal, cwd, interactive } = io
  const stores = await openStores(loaded.config.store.dir, log)
  const run = await command.load()
  const own: CommandIo<unknown> = {
    args,
    options: io.options as CommandIo['options'],
    json,
    config: checked.value,
    stores,
    clock: systemClock,
    log,
    cwd,
    signal,
    interactive,
    inspect: async options => (await import('./inspect.ts')).inspect(io, loaded, options),
    out: text => io.out(endLine(text)),
    err: text => io.err(endLine(text)),
  }
  return run(own)
}

// A plugin says lines; whether it ends them is its own affair.
function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

function toFinding(plugin: string, { message, path = [] }: StandardIssue, index: number, loaded: Loaded): Finding {
  const steps = path.map(part => String(typeof part === 'object' ? part.key : part))
  const inner = steps.length === 0 ? '' : ` (at ${steps.join('.')})`
  const place = placePluginConfig(index, steps, loaded.origins) ?? { file: loaded.file ?? 'the defaults' }
  return { code: 'plugin-config', severity: 'error', message: `${plugin}: ${message}${inner}`, ...place }
}
