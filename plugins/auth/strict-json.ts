// JSON of strangers (tokens, key sets, metadata): UTF-8, one object, no key twice, of bounded depth. Readers that differ over such texts can be played off.

const maxDepth = 32
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonMap = Readonly<Record<string, unknown>>
export type ReadMap = { readonly map: JsonMap } | { readonly why: string }

/** `why` quotes nothing of the text. */
export function readJsonMap(bytes: Uint8Array): ReadMap {
  let text: string
  let value: unknown
  try {
    text = decoder.decode(bytes)
    value = JSON.parse(text)
  } catch {
    return { why: 'no JSON' }
  }
  if (!isMap(value)) return { why: 'no JSON object' }
  const why = findFault(text)
  return why === undefined ? { map: value } : { why }
}

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a member that is there, and none that comes from elsewhere. */
export function memberOf(map: JsonMap, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined
}

/** `text` is JSON: only its brackets, commas and strings need to be looked at. */
function findFault(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let isKey = false
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        if (open.length === maxDepth) return `JSON of more than ${maxDepth} levels`
        isKey = text[at] === '{'
        open.push(isKey ? new Set() : undefined)
        break
      case '}':
      case ']':
        open.pop()
        isKey = false
        break
      case ',':
        isKey = open.at(-1) !== undefined
        break
      case '"': {
        const end = endOfString(text, at)
        if (isKey) {
          const keys = open.at(-1)!
          // Invariant: compared as they are read, so that an escape does not hide a second one.
          const key = JSON.parse(text.slice(at, end + 1)) as string
          if (keys.has(key)) return 'JSON with a key twice'
          keys.add(key)
          isKey = false
        }
        at = end
      }
    }
  }
  return undefined
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
