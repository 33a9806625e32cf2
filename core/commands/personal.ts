// Who keeps something about people: plugins of the config, each bound to its config, without starting any; and the gateway itself.
import { authOf, type GatewayConfig } from '../config/schema.ts'
import { holdUserTokens } from '../credentials/personal.ts'
import { hasUserTokens } from '../credentials/user-tokens.ts'
import { loadPlugin } from '../loader.ts'
import { logFor } from '../log.ts'
import type { PersonalHolder, PersonalIo } from '../plugin/index.ts'

export interface HolderContext extends Omit<PersonalIo, 'config'> {
  /** Where plugins are looked for. */
  readonly cwd: string
}

/** Rejects where one cannot be loaded: what it keeps nobody can say. */
export async function findHolders(
  { plugins, servers }: Pick<GatewayConfig, 'plugins' | 'servers'>,
  { cwd, ...around }: HolderContext,
): Promise<readonly PersonalHolder[]> {
  const holders: PersonalHolder[] = []
  // A server that stands no longer in the config may have tokens still; the file is not made for this.
  if (servers.some(server => authOf(server)?.user !== undefined) || (await hasUserTokens(around.stores)))
    holders.push(holdUserTokens(around.stores))
  for (const entry of plugins) {
    const loaded = await loadPlugin(entry, cwd)
    if (loaded.kind === 'refused') throw new Error(loaded.findings.map(({ message }) => message).join('; '))
    const { plugin, config } = loaded.checked
    const data = await plugin.personal?.()
    if (data === undefined) continue
    const io = { ...around, config, log: logFor(around.log, plugin.name) }
    holders.push({
      plugin: plugin.name,
      export: async person => data.export(person, io),
      erase: async person => data.erase(person, io),
    })
  }
  return holders
}
