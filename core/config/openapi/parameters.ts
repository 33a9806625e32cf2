// Parameters of an operation: which argument each is, and how it is written into the request. Spec: OpenAPI 3.1, "Parameter Object".
import type { ParameterStyle, RestParameter } from '../../upstream/rest/tool.ts'
import { member, type Tree } from '../tree.ts'
import { isTrue, type OpenApiDocument, textOf } from './document.ts'

export interface FoundParameter {
  readonly in: 'path' | RestParameter['in']
  readonly name: string
  readonly required: boolean
  readonly style: ParameterStyle
  readonly isDeep: boolean
  readonly schema: Tree | undefined
  readonly description: string | undefined
}

/** What is known of the parameters of all operations. */
export interface ParameterRules {
  /** `query:api_key`: the credential is the config's, and no argument. */
  readonly credentials: ReadonlySet<string>
  /** Headers that are configured, lower case. */
  readonly configured: ReadonlySet<string>
}

/** Spec: these are described elsewhere, and ignored as parameters. */
const DESCRIBED_ELSEWHERE = /^(accept|content-type|authorization)$/i
/** Of the connection, of the way here, or of who calls: no caller says them. */
const NOT_FOR_CALLERS =
  /^(host|connection|keep-alive|content-(length|encoding)|transfer-encoding|te|trailer|upgrade|expect|via|accept-.+|proxy-.*|cookie2?|forwarded|x-forwarded-.*|x-real-ip|sec-.*|mcp-.*|mcpgw-.*)$/i
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** In the order path, query, header, cookie. Those that cannot be sent are reported, or left out with a warning where they are optional. */
export function findParameters(document: OpenApiDocument, lists: readonly (Tree | undefined)[], rules: ParameterRules): FoundParameter[] {
  const byKey = new Map<string, FoundParameter>()
  const left: string[] = []
  let at: Tree | undefined
  for (const list of lists) {
    for (const item of list?.kind === 'list' ? list.items : []) {
      const tree = document.resolve(item)
      const [name, place] = [textOf(tree, 'name'), textOf(tree, 'in')]
      if (tree === undefined) continue
      if (name === undefined || name === '' || !isPlace(place)) {
        document.report(tree, 'openapi-invalid', 'a parameter has a name, and "in" is one of path, query, header, cookie')
        continue
      }
      byKey.delete(`${place}:${name}`)
      if (rules.credentials.has(`${place}:${place === 'header' ? name.toLowerCase() : name}`)) continue
      if (place === 'header' && (DESCRIBED_ELSEWHERE.test(name) || rules.configured.has(name.toLowerCase()))) continue
      const required = place === 'path' || isTrue(tree, 'required')
      const read = readStyle(document, tree, place, name)
      if (typeof read !== 'string') {
        const { schema, style } = read
        const isDeep = place === 'path' && isTrue(tree, 'x-multi-segment')
        byKey.set(`${place}:${name}`, { in: place, name, required, style, schema, isDeep, description: textOf(tree, 'description') })
      } else if (required) document.report(tree, 'openapi-unsupported', `the parameter "${name}" ${read}`)
      else {
        left.push(`"${name}" (${read})`)
        at ??= tree
      }
    }
  }
  if (left.length > 0) document.report(at, 'openapi-unsupported', `optional parameters are left out: ${left.join(', ')}`, 'warning')
  return PLACES.flatMap(place => [...byKey.values()].filter(one => one.in === place))
}

const PLACES = ['path', 'query', 'header', 'cookie'] as const

function isPlace(text: string | undefined): text is FoundParameter['in'] {
  return PLACES.some(place => place === text)
}

/** A text says why it cannot be sent. */
function readStyle(
  document: OpenApiDocument,
  tree: Tree,
  place: FoundParameter['in'],
  name: string,
): { readonly style: ParameterStyle; readonly schema: Tree | undefined } | string {
  if (place === 'header' && (!TOKEN.test(name) || NOT_FOR_CALLERS.test(name))) return 'is a header that no caller may set'
  if (place === 'cookie' && !TOKEN.test(name)) return 'is no name of a cookie'
  const content = member(tree, 'content')
  if (content?.kind === 'map') {
    const [media] = content.entries
    if (media === undefined || content.entries.length !== 1 || media.key.split(';', 1)[0] !== 'application/json')
      return 'has a content that is no JSON'
    if (place === 'path') return 'is JSON in a path'
    return { style: { kind: 'json' }, schema: member(media.value, 'schema') }
  }
  const schema = member(tree, 'schema')
  const types = typesOf(document, schema)
  const isForm = place === 'query' || place === 'cookie'
  const style = textOf(tree, 'style') ?? (isForm ? 'form' : 'simple')
  const given = member(tree, 'explode')
  const explodes = given?.kind === 'scalar' ? given.value === true : style === 'form'
  const hasMap = types.has('object')
  if (style === 'deepObject' && place === 'query') return { style: { kind: 'deep' }, schema }
  if (hasMap) return `is a map in the style "${style}"`
  if (place === 'path')
    return style === 'simple' && !types.has('array') ? { style: JOINED, schema } : `is in the style "${style}" or a list, in a path`
  if (place === 'header') return style === 'simple' ? { style: JOINED, schema } : `has the style "${style}"`
  if (place === 'cookie') {
    if (style !== 'form' || (types.has('array') && explodes)) return 'is a list of cookies'
    return { style: JOINED, schema }
  }
  if (style === 'form') return { style: explodes ? { kind: 'repeated' } : JOINED, schema }
  const separator = { spaceDelimited: ' ', pipeDelimited: '|' }[style]
  if (separator === undefined) return `has the style "${style}"`
  return { style: explodes ? { kind: 'repeated' } : { kind: 'joined', separator }, schema }
}

const JOINED: ParameterStyle = { kind: 'joined', separator: ',' }

function typesOf(document: OpenApiDocument, schema: Tree | undefined): ReadonlySet<unknown> {
  let at = schema
  for (let hops = 0; hops < 16; hops++) {
    const ref = textOf(at, '$ref')
    if (ref === undefined) break
    at = document.follow(ref)
  }
  const type = member(at, 'type')
  if (type?.kind === 'scalar') return new Set([type.value])
  return new Set(type?.kind === 'list' ? type.items.map(item => item.kind === 'scalar' && item.value) : [])
}
