// What a registered server may not have: checked on its text, each of its versions as if it stood there alone, before any reference is read.
import { isIP } from 'node:net'
import { isPublicAddress } from '../outgoing/public-address.ts'
import { soundsSecret } from './injected.ts'
import { splitReferences } from './interpolate.ts'
import type { RegistrationConfig } from './registration-config.ts'
import { isAt } from './registration-shape.ts'
import { entryOf, type Tree, type TreeMap } from './tree.ts'
import { entriesOf } from './versions-shape.ts'

/** `field`: within the entry, e.g. `headers.Authorization`; absent where all of it is meant. */
export interface Misfit {
  readonly field?: string
  readonly message: string
}

/** `at`: where it stands in the text. */
interface Forbidden {
  readonly at: number
  readonly message: string
}

export function findForbidden(entry: Tree, allowed: RegistrationConfig): Misfit | undefined {
  if (entry.kind !== 'map') return { message: 'expected an object' }
  let found = findStray(entry)
  for (const one of entriesOf(entry)) found ??= findIn(one, allowed)
  if (found === undefined) return undefined
  const field = pathAt(entry, found.at).join('.')
  return { ...(field !== '' && { field }), message: found.message }
}

/** References where nobody of `findIn` looks: weights, pins, and what is no version at all. */
function findStray(entry: TreeMap): Forbidden | undefined {
  const stray = leavesOf(entry).find(
    ({ path, text }) => path[0] === 'versions' && referencesIn(text).length > 0 && !mayRefer(path.slice(2)),
  )
  return stray && { at: stray.at, message: MAY_REFER }
}

function findIn(entry: TreeMap, allowed: RegistrationConfig): Forbidden | undefined {
  const at = (key: string): number | undefined => entryOf(entry, key)?.keySpan.start
  // Invariant: what is checked here is all that the entry says of where it is and what goes there.
  const [command, openapi] = [at('command'), at('openapi')]
  if (command !== undefined && !allowed.commands)
    return { at: command, message: 'commands are not registered: `registration.commands` of the config does not allow it' }
  if (openapi !== undefined) return { at: openapi, message: 'a registered server names no files: give its `tools` one by one' }
  const auth = entryOf(entry, 'auth')?.value
  const personal = auth?.kind === 'map' ? auth.entries.find(({ key }) => key !== 'oauth') : undefined
  if (personal !== undefined)
    return { at: personal.keySpan.start, message: 'credentials of callers go only to servers of the config: expected "oauth"' }
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
  readonly at: number
}

function leavesOf(tree: Tree, path: readonly string[] = []): Leaf[] {
  if (tree.kind === 'list') return tree.items.flatMap((item, i) => leavesOf(item, [...path, String(i)]))
  if (tree.kind === 'map') return tree.entries.flatMap(({ key, value }) => leavesOf(value, [...path, key]))
  return typeof tree.value === 'string' ? [{ path, text: tree.value, at: tree.span.start }] : []
}

/** `url`, each of `instances`, and where `auth` asks for tokens. */
function isUrl([first, , third, ...rest]: readonly string[]): boolean {
  if (first === 'url') return true
  if (first === 'instances') return third === undefined || (third === 'url' && rest.length === 0)
  return first === 'auth' && (third === 'token' || third === 'issuer')
}

/** Invariant: no secret goes anywhere but where the config says it may, and none stands in the open in the store. */
function findReference(entry: Tree, { secrets, variables }: RegistrationConfig, urls: readonly string[]): Forbidden | undefined {
  for (const { path, text, at } of leavesOf(entry)) {
    const refuse = (message: string): Forbidden => ({ at, message })
    const references = referencesIn(text)
    // What is more than one reference could be the path of a file.
    const isBroken = path[2] === 'privateKey' && isProof(path) && splitReferences(text).length > 1
    if ((references.length === 0 && isSecretPlace(path)) || isBroken)
      return refuse('a secret is not registered as it is: expected a reference, such as ${secret:NAME}')
    if (references.length > 0 && !mayRefer(path)) return refuse(MAY_REFER)
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

const MAY_REFER = 'a reference may stand in env, headers and the proof of `auth.oauth` alone'

type Reference = Extract<ReturnType<typeof splitReferences>[number], { readonly kind: 'secret' | 'env' }>

function referencesIn(text: string): Reference[] {
  return splitReferences(text).flatMap(piece => (piece.kind === 'secret' || piece.kind === 'env' ? [piece] : []))
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
function findAddress(urls: readonly Leaf[], allowed: RegistrationConfig): Forbidden | undefined {
  const texts = urls.map(({ text }) => text)
  if (isListed(texts, allowed)) return undefined
  for (const { text, at } of urls) {
    // What is no url is said by the schema.
    if (!URL.canParse(text)) continue
    const { protocol, hostname } = new URL(text)
    const host = hostname.replace(/^\[|\]$/g, '')
    const otherwise = `where \`registration.origins\` of the config does not name ${originOf(text)}`
    if (protocol !== 'https:') return { at, message: `expected https, ${otherwise}` }
    if (isIP(host) !== 0 && !isPublicAddress(host)) return { at, message: `expected an address of the public internet, ${otherwise}` }
  }
  return undefined
}

export function isListed(urls: readonly string[], { origins }: RegistrationConfig): boolean {
  return urls.every(url => URL.canParse(url) && isAt(url, origins))
}

/** Of a server, or of one of its versions: where calls go. */
export function urlsOf(entry: TreeMap): string[] {
  return leavesOf(entry).flatMap(({ path, text }) => (isUrl(path) && path[0] !== 'auth' ? [text] : []))
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'what is no url')

/** The keys that lead to what stands there. */
export function pathAt(tree: Tree, offset: number): (string | number)[] {
  const children =
    tree.kind === 'map'
      ? tree.entries.map(({ key, keySpan, value }) => ({ step: key, start: keySpan.start, value }))
      : tree.kind === 'list'
        ? tree.items.map((value, step) => ({ step, start: value.span.start, value }))
        : []
  const child = children.find(({ start, value }) => start <= offset && offset < value.span.end)
  return child === undefined ? [] : [child.step, ...pathAt(child.value, offset)]
}
