// Which values came into servers and are to be kept from leaving again.
import { isPem } from '../pem.ts'
import { passwordsOf } from './database-url.ts'
import type { ConfigParts } from './file.ts'
import type { UsedReference } from './interpolate.ts'
import type { McpServers } from './mcp-json.ts'
import type { PlacedServer } from './placed.ts'
import type { InjectedSecret, OAuthClient } from './schema.ts'

// Shorter values occur by chance in ordinary text.
const shortest = 8
const secretName = /(^|[_-])(token|secret|password|passwd|passphrase|credentials?|authorization|cookie|(api|access|private)?[_-]?key)$/i

/** A name that says that its value is a secret: `GITHUB_TOKEN`, `X-API-Key`, `apiKey`, `password`. */
export function soundsSecret(name: string): boolean {
  return secretName.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2'))
}

export function collectInjected(parts: ConfigParts | undefined, mcp: McpServers | undefined): InjectedSecret[] {
  const servers = mcp?.servers ?? parts?.servers ?? []
  const used = mcp === undefined ? (parts?.used ?? []) : mcp.used
  const all = servers.flatMap(server => [server, ...(server.versions ?? []).map(({ placed }) => placed)])
  const found = all.flatMap(server => injectedInto(server, used))
  const plugins = (parts?.used ?? [])
    .filter(({ kind, path }) => kind === 'secret' && path[0] !== 'servers' && path[0] !== 'metrics')
    .map(({ path, value }) => ({ server: String(path[0] === 'plugins' ? path[2] : path[0]), value }))
  const { url, redis } = parts?.shape.store ?? {}
  const stores = [url, redis].flatMap(one => (one === undefined ? [] : passwordsOf(one).map(value => ({ server: 'store', value }))))
  const { token = '' } = parts?.shape.metrics ?? {}
  const headers = secretsIn(parts?.shape.telemetry?.headers ?? {}).map(value => ({ server: 'telemetry', value }))
  return [...found, ...plugins, ...stores, ...headers, { server: 'metrics', value: token }].filter(({ value }) => value.length >= shortest)
}

// Everything that a reference brought into environment or headers; elsewhere, and where it stands literally, what its name gives away.
export function injectedInto({ shape, path }: PlacedServer, used: readonly UsedReference[]): InjectedSecret[] {
  const own = used.filter(reference => path.every((step, index) => step === reference.path[index]))
  const isInner = (reference: UsedReference): boolean =>
    reference.path.slice(path.length).some(step => step === 'env' || step === 'headers') || isProof(reference.path.at(-1))
  const values = own.filter(one => one.kind === 'secret' || isInner(one) || soundsSecret(one.name)).map(({ value }) => value)
  const expanded = new Set(own.map(reference => String(reference.path.at(-1))))
  const instances = typeof shape.instances === 'object' ? shape.instances : []
  const headers = [shape.headers, ...instances.map(one => (typeof one === 'string' ? undefined : one.headers))]
  for (const [name, value] of [shape.env, ...headers].flatMap(map => Object.entries(map ?? {}))) {
    if (soundsSecret(name) && !expanded.has(name)) values.push(value, value.replace(/^\S+\s+/, ''))
  }
  for (const client of Object.values(shape.auth ?? {}) as OAuthClient[]) {
    const { clientSecret = '', privateKey = '' } = client
    values.push(clientSecret, isPem(privateKey) ? privateKey : '')
  }
  return [...new Set(values)].map(value => ({ server: shape.id, value }))
}

/** By their names; of `Bearer TOKEN` also the token alone. */
function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (soundsSecret(name) ? [value, value.replace(/^\S+\s+/, '')] : []))
}

function isProof(key: string | number | undefined): boolean {
  return key === 'clientSecret' || key === 'privateKey'
}
