// From what somebody registers to a server: checked as an entry of the config is, and held to what the config allows such servers.
import { isIP } from 'node:net'
import { join } from 'node:path'
import { isPublicAddress } from '../outgoing/public-address.ts'
import type { SecretFault } from '../secrets/value.ts'
import type { Diagnostic } from './diagnostic.ts'
import { checkConfig } from './file.ts'
import { injectedInto, soundsSecret } from './injected.ts'
import { splitReferences } from './interpolate.ts'
import type { Environment } from './locate.ts'
import { parseJson } from './parse.ts'
import type { RegistrationConfig } from './registration-config.ts'
import { isAt } from './registration-shape.ts'
import type { InjectedSecret, ReachedServer } from './schema.ts'
import { buildServer } from './servers.ts'
import { find, type Path, type Source, type Tree } from './tree.ts'

export interface RegisteredFrom {
  readonly allowed: RegistrationConfig
  readonly env: Environment
  getSecret?(name: string): Promise<string | SecretFault | undefined>
  /** What relative paths of commands start from. */
  readonly baseDir: string
}

export interface BuiltServer {
  readonly server: ReachedServer
  readonly injected: readonly InjectedSecret[]
}

/** `field`: within the entry, e.g. `headers.Authorization`; absent where all of it is meant. */
export interface Misfit {
  readonly field?: string
  readonly message: string
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
  if (built.kind === 'versioned') return misfit(undefined, source)
  const server: ReachedServer = built.kind !== 'child' && !isListed(urlsOf(source), from.allowed) ? { ...built, isPublic: true } : built
  return { server, injected: injectedInto(placed!, parts.used) }
}

function findForbidden(entry: Tree, allowed: RegistrationConfig): Misfit | undefined {
  if (entry.kind !== 'map') return { message: 'expected an object' }
  const has = (key: string): boolean => entry.entries.some(one => one.key === key)
  if (has('command') && !allowed.commands)
    return { field: 'command', message: 'commands are not registered: `registration.commands` of the config does not allow it' }
  // Invariant: what is checked here is all that the entry says of where it is and what goes there.
  if (has('versions')) return { field: 'versions', message: 'a registered server has one version: several stand in the config' }
  if (has('openapi')) return { field: 'openapi', message: 'a registered server names no files: give its `tools` one by one' }
  const auth = entry.entries.find(({ key }) => key === 'auth')?.value
  const personal = auth?.kind === 'map' ? auth.entries.find(({ key }) => key !== 'oauth') : undefined
  if (personal !== undefined)
    return { field: `auth.${personal.key}`, message: 'credentials of callers go only to servers of the config: expected "oauth"' }
  const urls = leavesOf(entry).filter(({ path }) => isUrl(path))
  return (
    findReference(
      entry,
      allowed,
      urls.map(({ text }) => text),
    ) ?? findAddress(urls, allowed)
  )
}

interface Leaf {
  readonly path: readonly string[]
  readonly text: string
}

function leavesOf(tree: Tree, path: readonly string[] = []): Leaf[] {
  if (tree.kind === 'list') return tree.items.flatMap((item, i) => leavesOf(item, [...path, String(i)]))
  if (tree.kind === 'map') return tree.entries.flatMap(({ key, value }) => leavesOf(value, [...path, key]))
  return typeof tree.value === 'string' ? [{ path, text: tree.value }] : []
}

/** `url`, each of `instances`, and where `auth` asks for tokens. */
function isUrl([first, , third, ...rest]: readonly string[]): boolean {
  if (first === 'url') return true
  if (first === 'instances') return third === undefined || (third === 'url' && rest.length === 0)
  return first === 'auth' && (third === 'token' || third === 'issuer')
}

/** Invariant: no secret goes anywhere but where the config says it may, and none stands in the open in the store. */
function findReference(entry: Tree, { secrets, variables }: RegistrationConfig, urls: readonly string[]): Misfit | undefined {
  for (const { path, text } of leavesOf(entry)) {
    const field = path.join('.')
    const refuse = (message: string): Misfit => ({ field, message })
    const references = splitReferences(text).flatMap(piece => (piece.kind === 'secret' || piece.kind === 'env' ? [piece] : []))
    // What is more than one reference could be the path of a file.
    const isBroken = path[2] === 'privateKey' && isProof(path) && splitReferences(text).length > 1
    if ((references.length === 0 && isSecretPlace(path)) || isBroken)
      return refuse('a secret is not registered as it is: expected a reference, such as ${secret:NAME}')
    if (references.length > 0 && !mayRefer(path)) return refuse('a reference may stand in env, headers and the proof of `auth.oauth` alone')
    for (const { kind, name } of references) {
      const listed = kind === 'secret' ? secrets : variables
      const section = `registration.${kind === 'secret' ? 'secrets' : 'variables'}`
      if (!Object.hasOwn(listed, name)) return refuse(`\`${section}\` of the config does not name ${name}`)
      const elsewhere = urls.find(url => !URL.canParse(url) || !isAt(url, listed[name]!))
      if (elsewhere !== undefined) return refuse(`\`${section}\` of the config does not let ${name} go to ${originOf(elsewhere)}`)
    }
  }
  return undefined
}

function isHeader(path: readonly string[]): boolean {
  return (path.length === 2 && path[0] === 'headers') || (path.length === 4 && path[0] === 'instances' && path[2] === 'headers')
}

function isProof(path: readonly string[]): boolean {
  return path.length === 3 && path[0] === 'auth' && (path[2] === 'clientSecret' || path[2] === 'privateKey')
}

function mayRefer(path: readonly string[]): boolean {
  return isHeader(path) || isProof(path) || (path.length === 2 && path[0] === 'env')
}

function isSecretPlace(path: readonly string[]): boolean {
  return isProof(path) || ((isHeader(path) || path[0] === 'env') && soundsSecret(path.at(-1)!))
}

/** What leads into this machine or its network does so only where the config names it. */
function findAddress(urls: readonly Leaf[], allowed: RegistrationConfig): Misfit | undefined {
  const texts = urls.map(({ text }) => text)
  if (isListed(texts, allowed)) return undefined
  for (const { path, text } of urls) {
    // What is no url is said by the schema.
    if (!URL.canParse(text)) continue
    const { protocol, hostname } = new URL(text)
    const host = hostname.replace(/^\[|\]$/g, '')
    const field = path.join('.')
    const otherwise = `where \`registration.origins\` of the config does not name ${originOf(text)}`
    if (protocol !== 'https:') return { field, message: `expected https, ${otherwise}` }
    if (isIP(host) !== 0 && !isPublicAddress(host)) return { field, message: `expected an address of the public internet, ${otherwise}` }
  }
  return undefined
}

function isListed(urls: readonly string[], { origins }: RegistrationConfig): boolean {
  return urls.every(url => URL.canParse(url) && isAt(url, origins))
}

function urlsOf({ root }: Source): string[] {
  return leavesOf(find(root, AT)!).flatMap(({ path, text }) => (isUrl(path) && path[0] !== 'auth' ? [text] : []))
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'what is no url')

/** The text is one line, so that the column is the place. */
function misfit(found: Diagnostic | undefined, source: Source | undefined): Misfit {
  const message = found?.message ?? 'it does not fit'
  const help = found?.help === undefined ? '' : ` (${found.help})`
  const entry = source === undefined ? undefined : find(source.root, AT)
  const field = entry === undefined ? '' : pathAt(entry, (found?.column ?? 1) - 1).join('.')
  return { ...(field !== '' && { field }), message: message + help }
}

function pathAt(tree: Tree, offset: number): (string | number)[] {
  const children =
    tree.kind === 'map'
      ? tree.entries.map(({ key, keySpan, value }) => ({ step: key, start: keySpan.start, value }))
      : tree.kind === 'list'
        ? tree.items.map((value, step) => ({ step, start: value.span.start, value }))
        : []
  const child = children.find(({ start, value }) => start <= offset && offset < value.span.end)
  return child === undefined ? [] : [child.step, ...pathAt(child.value, offset)]
}
