// Paths with variables: what a caller gives stays within its own segment of the path, whoever decodes it and however often.
import type { Json } from '../../mcp/json.ts'

export type PathTemplate = readonly Segment[]
/** `text` is decoded. */
type Segment = readonly Piece[]
type Piece = { readonly text: string } | PathVariable
export interface PathVariable {
  readonly variable: string
  /** Its value may have slashes. Then it is the whole segment. */
  readonly isDeep: boolean
}

const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*$/
const VARIABLE = /\{([^{}]*)\}/
/** Nobody has a segment of his own who writes one of these: some servers decode a path before they split it. */
const LEAVES_SEGMENT = /[/\\\p{Cc}]/u

/** A text says what is wrong with it. `deep`: names of variables whose values may have slashes. */
export function readTemplate(written: string, deep: ReadonlySet<string> = new Set()): PathTemplate | string {
  if (written !== '' && !written.startsWith('/')) return 'a path begins with /'
  const segments: Segment[] = []
  for (const part of written.split('/').slice(1)) {
    const segment: Piece[] = []
    for (const [index, piece] of part.split(VARIABLE).entries()) {
      if (index % 2 === 1) {
        const isDeep = piece.startsWith('+') || deep.has(piece)
        segment.push({ variable: piece.replace(/^\+/, ''), isDeep })
      } else if (piece !== '') {
        const text = LITERAL.test(piece) ? decode(piece) : undefined
        if (text === undefined) return `"${piece}" cannot stand in a path`
        if (LEAVES_SEGMENT.test(text)) return `"${piece}" would be another path for some`
        segment.push({ text })
      }
    }
    if (segment.length === 0 && segments.length < written.split('/').length - 2) return 'a segment of the path is empty'
    if (segment.length > 1 && segment.some(one => 'variable' in one && one.isDeep)) return 'a variable with slashes is a whole segment'
    if (segment.every(piece => 'text' in piece) && isDots(segment.map(piece => ('text' in piece ? piece.text : '')).join('')))
      return 'a path cannot have . or .. in it'
    segments.push(segment)
  }
  const names = variablesOf(segments).map(({ variable }) => variable)
  const twice = names.find((name, index) => name === '' || names.indexOf(name) !== index)
  return twice === undefined ? segments : twice === '' ? 'a variable of the path has no name' : `"{${twice}}" stands twice in the path`
}

export function variablesOf(template: PathTemplate): readonly PathVariable[] {
  return template.flatMap(segment => segment.flatMap(piece => ('variable' in piece ? [piece] : [])))
}

/** `/a/b`, encoded, or what is wrong with the argument. `textFor` gives the text of a variable, undefined where it has none. */
export function fillTemplate(
  template: PathTemplate,
  textFor: (variable: string) => string | undefined,
): { readonly path: string } | { readonly variable: string; readonly wrong: string } {
  let path = ''
  for (const segment of template) {
    let text = ''
    let last = ''
    for (const piece of segment) {
      if ('text' in piece) {
        text += piece.text
        continue
      }
      last = piece.variable
      const value = textFor(last)
      if (value === undefined || value === '') return { variable: last, wrong: 'must be a text or a number, and not empty' }
      if (piece.isDeep) {
        const parts = value.split('/')
        if (parts.some(part => part === '' || isDots(part) || LEAVES_SEGMENT.test(part)))
          return { variable: last, wrong: 'must be a path without empty parts, `.`, `..` and backslashes' }
        path += parts.map(part => `/${encodeText(part)}`).join('')
      } else if (LEAVES_SEGMENT.test(value)) return { variable: last, wrong: 'must have no slash, backslash or control character' }
      else text += value
    }
    if (segment.length === 1 && 'variable' in segment[0]! && segment[0].isDeep) continue
    if (isDots(text)) return { variable: last, wrong: 'must not be `.` or `..`' }
    path += `/${encodeText(text)}`
  }
  return { path }
}

/** Everything but what RFC 3986 calls unreserved. */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** What stands for a plain value in a URL or header: a number as it was written. */
export function plainText(value: Json): string | undefined {
  switch (value.type) {
    case 'string':
      return value.value as string
    case 'number':
    case 'boolean':
      return value.text
    default:
      return undefined
  }
}

function isDots(text: string): boolean {
  return text === '.' || text === '..'
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
