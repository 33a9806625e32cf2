// Servers that are registered while gateways run, as a gateway and the command line have them: where they are kept, what they may have, who records them.
import type { Loaded } from '../config/load.ts'
import type { RegisteredFrom } from '../config/registered.ts'
import type { Finding } from '../finding.ts'
import type { Kernel } from '../kernel.ts'
import { registeringOperations } from '../operations/registering.ts'
import type { Log, Recording, Stores } from '../plugin/index.ts'
import { openRegistered, type RegisteredServers } from '../registry/registered.ts'
import { createRegistrar } from '../registry/registrar.ts'
import type { KnownSecrets } from '../secrets.ts'
import { learnSecrets } from './learn-secrets.ts'
import { misfitOf } from './reach.ts'

/** Undefined where the config has no `registration`: then nothing that was registered is served. */
export async function openRegistration(
  loaded: Loaded,
  { stores, secrets, log }: { readonly stores: Stores; readonly secrets: KnownSecrets; readonly log: Log },
): Promise<RegisteredServers | Finding | undefined> {
  const from = registeredFrom(loaded)
  if (from === undefined) return undefined
  return openRegistered(stores, { ...from, servers: loaded.config.servers, log, learn: injected => learnSecrets(secrets, injected, log) })
}

export function registeredFrom({ config, env, getSecret, baseDir }: Loaded): RegisteredFrom | undefined {
  const { registration: allowed } = config
  return allowed && { allowed, env, baseDir, ...(getSecret && { getSecret }) }
}

/** Has the gateway be told of servers by its own operations. */
export function offerRegistration(
  loaded: Loaded,
  registered: RegisteredServers,
  { plugins, operations }: Pick<Kernel, 'plugins' | 'operations'>,
  recording: Recording | undefined,
): void {
  const registrar = createRegistrar({
    ...registeredFrom(loaded)!,
    store: registered.store,
    ofConfig: () => registered.ofConfig.map(({ id }) => id),
    authenticates: plugins.some(({ capabilities }) => capabilities.has('authenticates')),
    misfit: ids => misfitOf(plugins, loaded.config, ids),
    record: async event => recording?.event(event),
    now: Date.now,
  })
  for (const operation of registeringOperations(registrar, registered.look)) operations.add(operation)
}
