// Of `auth` of a server: what its schema alone cannot tell, and the paths in it.
import { isAbsolute, resolve } from 'node:path'
import { readPrivateKey } from '../credentials/client-key.ts'
import { readGatewayKey } from '../credentials/gateway-key.ts'
import { isPem } from '../pem.ts'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import type { OAuthClient, ServerAuth } from './schema.ts'
import { entryOf, find, member, type Path, type Source, type Tree, type TreeMap } from './tree.ts'
import { entriesOf } from './versions-shape.ts'

export function buildAuth({ oauth, exchange, user, gateway }: ServerAuth, baseDir: string): ServerAuth {
  if (exchange !== undefined) return { exchange: withKeyPath(exchange, baseDir) }
  if (gateway !== undefined) return { gateway: { ...gateway, privateKey: keyPath(gateway.privateKey, baseDir) } }
  if (user !== undefined) return { user: withKeyPath(user, baseDir) }
  return oauth === undefined ? {} : { oauth: withKeyPath(oauth, baseDir) }
}

function withKeyPath<T extends OAuthClient>(client: T, baseDir: string): T {
  return client.privateKey === undefined ? client : { ...client, privateKey: keyPath(client.privateKey, baseDir) }
}

function keyPath(key: string, baseDir: string): string {
  return isPem(key) || isAbsolute(key) ? key : resolve(baseDir, key)
}

/** Works on the text, so that it runs beside the schema. */
export function checkAuth(source: Source, entries: readonly Path[], baseDir: string): Diagnostic[] {
  return entries.flatMap(path => {
    const entry = find(source.root, path)
    const auth = member(entry, 'auth')
    if (auth?.kind !== 'map') return []
    return [
      ...entriesOf(entry).flatMap(one => conflicts(source, one, member(auth, 'gateway') === undefined ? [] : ['x-api-key'])),
      ...sharing(source, entry, auth),
      ...auth.entries.flatMap(({ key, value }) => checkKey(source, key, value, baseDir)),
    ]
  })
}

/** `others`: headers that would be a second credential. */
function conflicts(source: Source, entry: TreeMap, others: readonly string[]): Diagnostic[] {
  const instances = member(entry, 'instances')
  const ofAll = entry.entries.filter(({ key }) => key === 'headers').map(({ value }) => value)
  const all = [...ofAll, ...(instances?.kind === 'list' ? instances.items : []).map(one => member(one, 'headers'))]
  const own = all
    .flatMap(one => (one?.kind === 'map' ? one.entries : []))
    .find(({ key }) => ['authorization', ...others].includes(key.toLowerCase()))
  if (own === undefined) return []
  return [diagnose(source, own.keySpan, { code: 'conflicting-keys', message: 'a server has "auth" or this header, not both' })]
}

/** Invariant: one connection has one credential, so what is of one caller is shown on no connection of others. */
function sharing(source: Source, entry: Tree | undefined, auth: Tree): Diagnostic[] {
  const shared = member(entry, 'shared')
  const own = auth.kind === 'map' ? auth.entries.find(({ key }) => key !== 'oauth') : undefined
  if (own === undefined || shared?.kind !== 'scalar' || shared.value !== true) return []
  const message = `"${own.key}" is a credential of each caller, which a server that is shared cannot have`
  return [diagnose(source, shared.span, { code: 'conflicting-keys', message })]
}

function checkKey(source: Source, way: string, client: Tree, baseDir: string): Diagnostic[] {
  const key = entryOf(client, 'privateKey')?.value
  if (key?.kind !== 'scalar' || typeof key.value !== 'string') return []
  const read = (way === 'gateway' ? readGatewayKey : readPrivateKey)(keyPath(key.value, baseDir))
  if (!('problem' in read)) return []
  return [diagnose(source, key.span, { code: 'bad-value', message: read.problem, help: read.help })]
}
