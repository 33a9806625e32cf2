// What may stand under `versions` of a server: what differs from the server itself, who gets it, and what must hold of them all.
import * as z from 'zod'
import { type Diagnostic, diagnose, position } from './diagnostic.ts'
import { coded, words } from './fields.ts'
import type { VersionPins } from './schema.ts'
import { find, member, type Path, type Source, type Tree, type TreeMap } from './tree.ts'

export interface VersionRouteShape {
  readonly version: string
  readonly weight?: number | undefined
  readonly pins?: Partial<Record<keyof VersionPins, readonly string[] | undefined>> | undefined
}

/** Keys that versions of one server may have in a way of their own; of `env` and `headers` what they have beside the server's. */
export const OF_VERSIONS = [
  'protocol',
  'timeout',
  'limits',
  'command',
  'args',
  'env',
  'cwd',
  'isolation',
  'url',
  'headers',
  'openapi',
  'operations',
  'tools',
  'instances',
  'balance',
] as const
const ADDED: ReadonlySet<string> = new Set(['env', 'headers'])
const MOST = 20
const MOST_WEIGHT = 1_000_000

export const versionLabel: z.ZodType<string> = z
  .string()
  .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/, coded('bad-value', 'not a version: at most 64 of letters, digits and . + _ -'))
  .meta({ description: 'What it is called in lists, records and metrics', examples: ['1.4.0'] })

const named = z.array(words).min(1).optional()

/** `fields`: those of a server. */
export function versionsIn<V extends VersionRouteShape>(
  fields: Readonly<Record<(typeof OF_VERSIONS)[number], z.ZodType>>,
): z.ZodType<readonly V[]> {
  const own = Object.fromEntries(OF_VERSIONS.map(key => [key, fields[key]]))
  const versions = z
    .array(
      z.strictObject({
        version: versionLabel,
        weight: z.number().int().min(0).max(MOST_WEIGHT).optional().meta({
          description: 'Its share of the callers that no pin names, to the sum of all; default 1. 0: none of them',
        }),
        pins: z.strictObject({ roles: named, consumers: named, tenants: named }).optional().meta({
          description: 'Callers that always have it: of these roles, these themselves, of these tenants; the first version that fits',
        }),
        ...own,
      }),
    )
    .min(1)
    .max(MOST)
    .meta({ description: 'Several side by side: what differs stands with each, the rest with the server. Each caller has one of them' })
  return versions as unknown as z.ZodType<readonly V[]>
}

/** The server as this version has it. */
export function mergeVersion<S extends { readonly versions?: unknown }, V extends VersionRouteShape>(
  server: S,
  { weight: _weight, pins: _pins, ...version }: V,
): Omit<S, 'versions'> & { readonly version: string } {
  const { versions: _versions, ...common } = server
  const added = [...ADDED].flatMap(key => {
    const [all, own] = [common[key as keyof typeof common], version[key as keyof typeof version]]
    return all === undefined || own === undefined ? [] : [[key, { ...all, ...own }]]
  })
  return { ...common, ...version, ...Object.fromEntries(added) }
}

/** The same on the text: the entry of a server, or one for each of its versions, as if it stood there alone. */
export function entriesOf(entry: Tree | undefined): readonly TreeMap[] {
  if (entry?.kind !== 'map') return []
  const versions = member(entry, 'versions')
  if (versions?.kind !== 'list') return [entry]
  const common = entry.entries.filter(({ key }) => key !== 'versions')
  return versions.items.flatMap(one => {
    if (one.kind !== 'map') return []
    const own = one.entries.filter(({ key }) => key !== 'weight' && key !== 'pins')
    const isOwn = (key: string): boolean => own.some(other => other.key === key)
    const left = common.filter(({ key }) => !isOwn(key) || ADDED.has(key))
    return [{ ...one, entries: [...own, ...left] }]
  })
}

/** Works on the text, so that it runs beside the schema. */
export function checkVersions(source: Source, entries: readonly Path[]): Diagnostic[] {
  return entries.flatMap(path => {
    const entry = find(source.root, path)
    const versions = member(entry, 'versions')
    if (versions?.kind !== 'list') return []
    const own = member(entry, 'version')
    const both: Diagnostic[] =
      own === undefined
        ? []
        : [diagnose(source, own.span, { code: 'conflicting-keys', message: 'a server has a "version", or each of its "versions" one' })]
    return [...both, ...checkLabels(source, versions.items), ...checkWeights(source, versions), ...checkPins(source, entry, versions.items)]
  })
}

function checkLabels(source: Source, versions: readonly Tree[]): Diagnostic[] {
  return repeated(versions.map(one => member(one, 'version'))).map(([label, first]) =>
    diagnose(source, label.span, {
      code: 'duplicate-id',
      message: `the version ${textOf(label)} stands in line ${position(source.text, first.span.start).line} already`,
    }),
  )
}

function checkWeights(source: Source, versions: Tree & { kind: 'list' }): Diagnostic[] {
  const weights = versions.items.map(one => member(one, 'weight'))
  const isNone = weights.length > 0 && weights.every(one => one?.kind === 'scalar' && one.value === 0)
  if (!isNone) return []
  const message = 'every weight is 0, so that a caller whom no pin names would have no version'
  return [diagnose(source, weights[0]!.span, { code: 'bad-value', message, help: 'give a weight to one of them, such as 1' })]
}

/** The first version that fits is taken, so that the second place of a pin is never looked at; nor is a tenant for whom there is no server. */
function checkPins(source: Source, entry: Tree | undefined, versions: readonly Tree[]): Diagnostic[] {
  const tenants = member(entry, 'tenants')
  const known = tenants?.kind === 'list' ? tenants.items.map(textOf) : undefined
  return (['roles', 'consumers', 'tenants'] as const).flatMap(key => {
    const pins = versions.flatMap(one => {
      const list = member(member(one, 'pins'), key)
      return list?.kind === 'list' ? list.items : []
    })
    const twice = repeated(pins).map(([pin, first]) => {
      const { line } = position(source.text, first.span.start)
      const message = `${textOf(pin)} is pinned in line ${line} already, and the first that fits is taken`
      return diagnose(source, pin.span, { code: 'bad-value', message })
    })
    const strangers = key !== 'tenants' || known === undefined ? [] : pins.filter(pin => !known.includes(textOf(pin)))
    const nobody = strangers.map(pin =>
      diagnose(source, pin.span, { code: 'bad-value', message: `${textOf(pin)} is none of the tenants that this server is for` }),
    )
    return [...twice, ...nobody]
  })
}

/** Each that stood before, with its first place. */
function repeated(texts: readonly (Tree | undefined)[]): readonly (readonly [Tree, Tree])[] {
  const seen = new Map<string, Tree>()
  return texts.flatMap((tree): (readonly [Tree, Tree])[] => {
    if (tree?.kind !== 'scalar') return []
    const first = seen.get(textOf(tree))
    if (first === undefined) seen.set(textOf(tree), tree)
    return first === undefined ? [] : [[tree, first]]
  })
}

function textOf(tree: Tree): string {
  return tree.kind === 'scalar' ? JSON.stringify(String(tree.value)) : ''
}
