// The first key, so that `mcpgw run` can be used at once: made with the auth plugin's own command, only where there is none.
import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { checkPlugins } from '../kernel.ts'
import { createLog } from '../log.ts'
import { findOperator } from '../operator.ts'
import type { CommandIo } from '../plugin/index.ts'
import { mayReach } from './reach.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'

/** The new key, or `undefined` where no plugin has such a command, or there is a key or another way in already. */
export async function createFirstKey(loaded: Loaded, io: VerbIo): Promise<string | undefined> {
  const { config } = loaded
  const plugins = await checkPlugins(config.plugins, io.cwd)
  // What is wrong with them is told when the gateway boots.
  if ('findings' in plugins || mayReach(loaded, plugins) !== undefined) return undefined
  const log = createLog({ level: 'warn' })
  for (const { plugin, config: checked } of plugins) {
    const find = (verb: string) => plugin.commands?.find(command => command.path.join(' ') === `keys ${verb}`)
    const list = find('list')
    const create = find('create')
    if (list === undefined || create === undefined || list.standalone || create.standalone) continue
    const stores = await openStores(config.store, log)
    const call = async (command: typeof list, args: CommandIo['args']): Promise<unknown> => {
      let out = ''
      const run = await command.load()
      const code = await running(run, {
        args,
        options: {},
        json: true,
        config: checked,
        stores,
        clock: systemClock,
        log,
        operator: findOperator(),
        // The gateway that is about to start records what it finds.
        record: async () => false,
        find: async () => undefined,
        personal: async () => [],
        readers: async () => [],
        cwd: io.cwd,
        signal: io.signal,
        out: text => {
          out += text
        },
        err: io.err,
        interactive: false,
        color: false,
        inspect: async () => ({ failed: 'the gateway is not set up yet' }),
      })
      return code === 0 ? JSON.parse(out) : undefined
    }
    const listed = (await call(list, [])) as { keys?: readonly unknown[]; otherWays?: number } | undefined
    // Where clients come with tokens or certificates, a key that nobody asked for would only lie about in a log.
    if (listed === undefined || (listed.keys?.length ?? 0) + (listed.otherWays ?? 0) > 0) return undefined
    const created = (await call(create, ['First key', 'local', undefined])) as { key?: string } | undefined
    return created?.key
  }
  return undefined
}

/** Undefined where it throws: what keeps it from its store keeps the plugin from it too, which is told when the gateway boots. */
async function running(run: (io: CommandIo) => Promise<number> | number, io: CommandIo): Promise<number | undefined> {
  try {
    return await run(io)
  } catch {
    return undefined
  }
}
