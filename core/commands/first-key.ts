// The first key, so that `mcpgw run` can be used at once: made with the auth plugin's own command, only where there is none.
import { setTimeout } from 'node:timers/promises'
import { systemClock } from '../clock.ts'
import type { Loaded } from '../config/load.ts'
import { type Kernel, tokens } from '../kernel.ts'
import { createLog } from '../log.ts'
import { findOperator } from '../operator.ts'
import { type CommandIo, Directory } from '../plugin/index.ts'
import { mayReach } from './reach.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'

const KNOWN_WITHIN_MS = 2000

/** The new key, or `undefined` where no plugin has such a command, or there is a key or another way in already. */
export async function createFirstKey(loaded: Loaded, io: VerbIo, { plugins, services }: Kernel): Promise<string | undefined> {
  const { config } = loaded
  // With --insecure-allow-anonymous: nobody needs one.
  if (mayReach(loaded, plugins) !== undefined) return undefined
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
        // The gateway records what it finds.
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
    const created = (await call(create, ['First key', 'local', undefined])) as { id?: string; key?: string } | undefined
    await isKnown(services.get(tokens.registry).find(Directory), created?.id)
    return created?.key
  }
  return undefined
}

/** The gateway lets it in by the time it is shown. */
async function isKnown(directory: Directory | undefined, id: string | undefined): Promise<void> {
  const until = systemClock.mono() + KNOWN_WITHIN_MS
  while (id !== undefined && directory?.hasKey(id) === false && systemClock.mono() < until) await setTimeout(20)
}

/** Undefined where it throws: what keeps it from its store keeps the plugin from it too, which is told when the gateway boots. */
async function running(run: (io: CommandIo) => Promise<number> | number, io: CommandIo): Promise<number | undefined> {
  try {
    return await run(io)
  } catch {
    return undefined
  }
}
