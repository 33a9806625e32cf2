// Runs one verb of a plugin without booting a gateway: on the plugin's checked config, or on its arguments alone.
import { systemClock } from '../clock.ts'
import { expandText } from '../config/interpolate.ts'
import type { AnyPlugin } from '../loader.ts'
import type { Command, CommandIo, ConfiguredCommand } from '../plugin/command.ts'
import type { PluginConfig } from './plugin-config.ts'
import type { VerbIo } from './verb.ts'

/** `entryName`: what the config calls the plugin. */
export function prepare(plugin: AnyPlugin, entryName: string, command: Command): (io: VerbIo) => Promise<number> {
  if (command.standalone !== true) return io => runConfigured(plugin, entryName, command, io)
  return async io => {
    // A document of its own would stand before the verb's.
    const quiet = { ...io, json: false }
    let found: Promise<PluginConfig | undefined> | undefined
    const load = () => (found ??= import('./plugin-config.ts').then(one => one.loadPluginConfig(plugin, entryName, quiet)))
    const inspect: CommandIo['inspect'] = async options => {
      const config = await load()
      return config === undefined
        ? { failed: 'the config does not load' }
        : (await import('./inspect.ts')).inspect(quiet, config.loaded, options)
    }
    return (await command.load())({
      ...toBare(io),
      loadConfig: async () => (await load())?.own,
      inspect,
      expand: text => expandText(text, io.env),
    })
  }
}

async function runConfigured(plugin: AnyPlugin, entryName: string, command: ConfiguredCommand<unknown>, io: VerbIo): Promise<number> {
  const { loadPluginConfig } = await import('./plugin-config.ts')
  const found = await loadPluginConfig(plugin, entryName, io)
  if (found === undefined) return 2
  const { loaded, own } = found
  const [{ createLog }, { openStores }, { createVerbRecord }, { findOperator }, { orStarter }] = await Promise.all([
    import('../log.ts'),
    import('./stores.ts'),
    import('./record.ts'),
    import('../operator.ts'),
    import('./starter.ts'),
  ])
  const log = createLog({ level: loaded.config.log === 'info' ? 'warn' : loaded.config.log, write: line => io.err(line) })
  const stores = await openStores(loaded.config.store, log)
  const run = await command.load()
  // Where there is no config, the log is that of the starter.
  const record = createVerbRecord(orStarter(loaded, io), { stores, log, cwd: io.cwd, version: io.version })
  try {
    return await run({
      ...toBare(io),
      config: own,
      stores,
      log,
      operator: findOperator(),
      record: event => record.event(event),
      find: service => record.find(service),
      personal: async () =>
        (await import('./personal.ts')).findHolders(loaded.config, {
          stores,
          log,
          cwd: io.cwd,
          clock: systemClock,
          operator: findOperator(),
        }),
      readers: async () => (await import('../kernel/readers.ts')).findReaders(loaded.config.plugins, io.cwd, stores),
      inspect: async options => (await import('./inspect.ts')).inspect(io, loaded, options),
    })
  } finally {
    await record.close()
  }
}

function toBare(
  io: VerbIo,
): Omit<CommandIo, 'config' | 'stores' | 'log' | 'operator' | 'record' | 'find' | 'personal' | 'readers' | 'inspect'> {
  const { args, json, signal, cwd, interactive } = io
  return {
    args,
    options: io.options as CommandIo['options'],
    json,
    clock: systemClock,
    cwd,
    signal,
    interactive,
    color: io.color.out,
    out: text => io.out(endLine(text)),
    err: text => io.err(endLine(text)),
  }
}

// A plugin says lines; whether it ends them is its own affair.
function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
