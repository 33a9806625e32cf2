// From what somebody registers to a server: checked as an entry of the config is, and held to what the config allows such servers.
import { join } from 'node:path'
import type { SecretFault } from '../secrets/value.ts'
import type { Diagnostic } from './diagnostic.ts'
import { checkConfig } from './file.ts'
import { injectedInto } from './injected.ts'
import type { Environment } from './locate.ts'
import { parseJson } from './parse.ts'
import { findForbidden, isListed, type Misfit, pathAt, urlsOf } from './registered-limits.ts'
import type { RegistrationConfig } from './registration-config.ts'
import type { ConfiguredServer, InjectedSecret, ReachedServer } from './schema.ts'
import { buildServer } from './servers.ts'
import { find, type Path, type Source } from './tree.ts'
import { entriesOf } from './versions-shape.ts'

export interface RegisteredFrom {
  readonly allowed: RegistrationConfig
  readonly env: Environment
  getSecret?(name: string): Promise<string | SecretFault | undefined>
  /** What relative paths of commands start from. */
  readonly baseDir: string
}

export interface BuiltServer {
  readonly server: ConfiguredServer
  readonly injected: readonly InjectedSecret[]
}

const LONGEST = 64 * 1024
const AT: Path = ['servers', 0]

/** `entry`: an object as it would stand under `servers`. */
export async function buildRegistered(entry: object, from: RegisteredFrom): Promise<BuiltServer | Misfit> {
  const text = JSON.stringify({ servers: [entry] })
  if (text.length > LONGEST) return { message: `longer than ${LONGEST} characters` }
  const { source, diagnostics } = await parseJson({ file: 'registration', text })
  if (source === undefined || diagnostics.length > 0) return misfit(diagnostics[0], source)
  const refused = findForbidden(find(source.root, AT)!, from.allowed)
  if (refused !== undefined) return refused
  const { secrets, variables } = from.allowed
  const { parts, diagnostics: found } = await checkConfig(source, join(from.baseDir, 'registration'), {
    env: Object.fromEntries(Object.keys(variables).map(name => [name, from.env[name]])),
    getSecret: async name => (Object.hasOwn(secrets, name) ? from.getSecret?.(name) : undefined),
    allowsSecret: () => true,
  })
  const error = found.find(({ severity }) => severity === 'error')
  if (parts === undefined || error !== undefined) return misfit(error ?? found[0], source)
  const [placed] = parts.servers
  const { at: _, ...built } = buildServer(placed!)
  const entries = entriesOf(find(source.root, AT))
  const reach = (server: ReachedServer, index: number): ReachedServer =>
    server.kind !== 'child' && !isListed(urlsOf(entries[index]!), from.allowed) ? { ...server, isPublic: true } : server
  const server: ConfiguredServer =
    built.kind === 'versioned'
      ? { ...built, versions: built.versions.map((one, index) => ({ ...one, server: reach(one.server, index) })) }
      : reach(built, 0)
  const all = [placed!, ...(placed!.versions ?? []).map(version => version.placed)]
  return { server, injected: all.flatMap(one => injectedInto(one, parts.used)) }
}

/** The text is one line, so that the column is the place. */
function misfit(found: Diagnostic | undefined, source: Source | undefined): Misfit {
  const message = found?.message ?? 'it does not fit'
  const help = found?.help === undefined ? '' : ` (${found.help})`
  const entry = source === undefined ? undefined : find(source.root, AT)
  const field = entry === undefined ? '' : pathAt(entry, (found?.column ?? 1) - 1).join('.')
  return { ...(field !== '' && { field }), message: message + help }
}
