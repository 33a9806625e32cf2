// What the gateway is without any config: the bundled demo servers behind all built-in plugins, so that there is something to see, offline.
import type { Loaded } from '../config/load.ts'
import { demoServers } from '../demo/servers.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'

/** In the order that holds. */
const STARTER_PLUGINS = ['audit', 'auth', 'redact']

/** The config, or the starter where there is no file and no `--mcp-json`; plugins named on the command line stand in any case. */
export async function loadOrStarter(io: VerbIo): Promise<Loaded | 2> {
  const loaded = await loadFor(io)
  return loaded === 2 || io.options.mcpJson !== undefined ? loaded : orStarter(loaded)
}

/** The starter where there is no file. */
export function orStarter(loaded: Loaded): Loaded {
  if (loaded.file !== undefined) return loaded
  const plugins = loaded.config.plugins.length > 0 ? loaded.config.plugins : STARTER_PLUGINS.map(name => ({ name, config: {} }))
  return { ...loaded, config: { ...loaded.config, servers: demoServers(), plugins } }
}
