// Masks one text: as it stands, as the JSON document that it may be, and what lies in it in base64 or hex.
import type { JsonValue } from 'mcpgw/plugin'
import { type Code, decodeText, encodeText, findEncoded } from './encoded.ts'
import { descend, type FieldPath, isTarget, maskedLeaf } from './field-path.ts'
import { bySpan, type Finding, type Search } from './finding.ts'
import { applyEdits, type Edit, editLeaves, type JsonText, type Node, readDocument } from './json-text.ts'
import { count, maskFindings, type Tally } from './masker.ts'
import type { Writer } from './writer.ts'

export interface TextMasker {
  /** A text; one that is a whole JSON document is masked leaf by leaf, so that it stays one and matches its structured twin. */
  text(text: string, key: string, paths: readonly FieldPath[]): string
  /** The name of a member. */
  name(text: string): string
  /** Whether a number, without its exponent, is a finding. */
  hasFinding(number: string, key: string): boolean
  /** What is base64 as a whole. */
  encoded(text: string, key: string): string
}

export interface Masking {
  /** Absent: only the fields. */
  readonly search: Search | undefined
  readonly tally: Tally
  readonly writer: Writer
  /** Documents are opened whatever they look like: a model reads each of their texts. */
  readonly thorough?: boolean
}

export function createTextMasker({ search, tally, writer, thorough = false }: Masking): TextMasker {
  function mask(text: string, key: string, paths: readonly FieldPath[]): string {
    const known = thorough ? readDocument(text) : undefined
    return known === undefined ? maskUnknown(text, key, paths) : maskDocument(known, paths)
  }

  /** Most texts are no documents, and most have no finding: that is cheaper to see. */
  function maskUnknown(text: string, key: string, paths: readonly FieldPath[]): string {
    const seen: Tally = new Map()
    const { blocked } = writer
    const plain = maskPlain(text, key, seen)
    if (plain === text && paths.length === 0 && !text.includes('\\u')) return text
    const document = thorough ? undefined : readDocument(text)
    if (document === undefined) {
      addTo(tally, seen)
      return plain
    }
    // What was found across its marks is no finding.
    writer.blocked = blocked
    return maskDocument(document, paths)
  }

  function maskDocument(document: JsonText, paths: readonly FieldPath[]): string {
    const named = applyEdits(document, fieldEdits(document.root, paths))
    if (search === undefined) return named
    const rest = named === document.text ? document : readDocument(named)!
    return applyEdits(rest, findingEdits(rest))
  }

  function maskPlain(text: string, key: string, into: Tally): string {
    if (search === undefined) return text
    const found = search.find(text, key)
    const inside = findInside(text, key)
    if (found.length === 0 && inside.length === 0) return text
    return maskFindings(text, inside.length === 0 ? found : [...found, ...inside].sort(bySpan), into, writer)
  }

  function findInside(text: string, key: string): readonly Finding[] {
    const found: Finding[] = []
    for (const { start, end, code, decoded } of findEncoded(text)) {
      const one = reencode(text.slice(start, end), code, decoded, key)
      if (one !== undefined) found.push({ start, end, action: 'replace', value: '', ...one })
    }
    return found
  }

  function reencode(whole: string, code: Code, decoded: string, key: string): Pick<Finding, 'id' | 'inside'> | undefined {
    const counts: Tally = new Map()
    const masked = createTextMasker({ search, tally: counts, writer, thorough }).text(decoded, key, [])
    if (masked === decoded) return undefined
    return { id: [...counts.keys()][0] ?? 'encoded', inside: { text: encodeText(masked, code, whole), counts } }
  }

  function findingEdits({ text, root }: JsonText): readonly Edit[] {
    const names = new Map<Node, Names>()
    return editLeaves(root, (node, key, isKey) => {
      if (node.type === 'string') {
        const value = node.value as string
        const masked = isKey ? maskName(value) : mask(value, key, [])
        if (masked === value) return undefined
        return JSON.stringify(isKey ? nameApart(masked, node.parent!.parent!, names) : masked)
      }
      if (node.type !== 'number') return undefined
      return hasFinding(spell(text.slice(node.offset, node.offset + node.length)), key) ? '0' : undefined
    })
  }

  function fieldEdits(node: Node, paths: readonly FieldPath[]): readonly Edit[] {
    if (paths.length === 0) return []
    if (isTarget(paths)) {
      return editLeaves(node, (leaf, _key, isKey) => {
        const masked = maskedLeaf(leaf.value as JsonValue)
        if (isKey || masked === leaf.value) return undefined
        count(tally, 'field')
        return JSON.stringify(masked)
      })
    }
    const below = node.children ?? []
    if (node.type === 'array') return below.flatMap((item, i) => fieldEdits(item, descend(paths, i)))
    return below.flatMap(({ children }) =>
      children === undefined ? [] : fieldEdits(children[1]!, descend(paths, String(children[0]!.value))),
    )
  }

  // What is dropped leaves its type: two members cannot both have no name.
  function maskName(text: string): string {
    if (search === undefined) return text
    const found = search.findInName(text).map(one => (one.action === 'drop' ? { ...one, action: 'replace' as const } : one))
    return found.length === 0 ? text : maskFindings(text, found, tally, writer)
  }

  function hasFinding(number: string, key: string): boolean {
    return number.length >= fewest && maskPlain(number, key, tally) !== number
  }

  return {
    text: mask,
    name: maskName,
    hasFinding,
    encoded(text, key) {
      if (search === undefined) return text
      const bare = text.replace(/=+$/, '')
      const decoded = decodeText(bare, 'base64')
      const one = decoded === undefined ? undefined : reencode(text, 'base64', decoded, key)
      if (one?.inside === undefined) return text
      addTo(tally, one.inside.counts)
      return one.inside.text
    },
  }
}

/** The names in one object of a document, and how often each masked one was given. */
interface Names {
  readonly taken: Set<string>
  readonly given: Map<string, number>
}

/** As in structured data: `[EMAIL]`, `[EMAIL] 2`, and so on. */
function nameApart(masked: string, object: Node, known: Map<Node, Names>): string {
  const names = known.get(object) ?? {
    taken: new Set((object.children ?? []).map(one => String(one.children![0]!.value))),
    given: new Map(),
  }
  known.set(object, names)
  for (let i = (names.given.get(masked) ?? 0) + 1; ; i++) {
    const name = i === 1 ? masked : `${masked} ${i}`
    names.given.set(masked, i)
    if (names.taken.has(name)) continue
    names.taken.add(name)
    return name
  }
}

function addTo(tally: Tally, counts: ReadonlyMap<string, number>): void {
  for (const [id, by] of counts) count(tally, id, by)
}

// No number with less is a finding.
const fewest = 9
const longestNumber = 40

/** A number without its exponent: 4.111111111111111e15 is 4111111111111111. */
export function spell(text: string): string {
  const parts = /^-?(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,3})$/.exec(text)
  if (parts === null) return text
  const digits = parts[1]! + (parts[2] ?? '')
  const point = parts[1]!.length + Number(parts[3])
  return point > 0 && point <= longestNumber ? digits.slice(0, point).padEnd(point, '0') : text
}
