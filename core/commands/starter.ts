// What the gateway is without any config: the bundled demo servers behind a policy and plugins, so that there is something to see, offline.
import { fileURLToPath } from 'node:url'
import type { Loaded } from '../config/load.ts'
import { withPolicies } from '../config/policies.ts'
import type { PluginEntry } from '../config/schema.ts'
import { demoServers } from '../demo/servers.ts'
import { loadFor } from './load-for.ts'
import type { VerbIo } from './verb.ts'

/** In the order that holds. */
const STARTER_PLUGINS = ['audit', 'auth', 'policy', 'redact']
const STARTER_POLICY = fileURLToPath(new URL('../demo/starter.policy', import.meta.url))

type Asker = Pick<VerbIo, 'options' | 'cwd'>

/** The config, or the starter where there is no file and no `--mcp-json`; plugins named on the command line stand in any case. */
export async function loadOrStarter(io: VerbIo): Promise<Loaded | 2> {
  const loaded = await loadFor(io)
  return loaded === 2 || io.options.mcpJson !== undefined ? loaded : orStarter(loaded, io)
}

/** The starter where there is no file. */
export function orStarter(loaded: Loaded, io: Asker): Loaded {
  const { config, file } = loaded
  if (file !== undefined) return loaded
  const isStarter = config.plugins.length === 0
  const plugins = isStarter ? starterPlugins(io) : config.plugins
  return {
    ...loaded,
    config: { ...config, servers: demoServers(), plugins, policies: isStarter ? [STARTER_POLICY] : config.policies },
    ...(isStarter && { isStarter }),
  }
}

function starterPlugins({ options, cwd }: Asker): PluginEntry[] {
  const places = { files: [STARTER_POLICY], baseDir: cwd, observe: options.observe === true }
  return STARTER_PLUGINS.map(name => withPolicies({ name, config: {} }, places))
}
