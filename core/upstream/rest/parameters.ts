// Arguments as parts of a query, as headers and as cookies. Spec: OpenAPI 3.1, "Style Values".
import type { Json } from '../../mcp/json.ts'
import { encodeText, plainText } from './path.ts'
import type { ParameterStyle, RestParameter } from './tool.ts'

/** `name=value`, encoded, in order. */
export type Pairs = readonly string[]
export interface Misfit {
  readonly wrong: string
}

export function isMisfit(found: object | string): found is Misfit {
  return typeof found === 'object' && 'wrong' in found
}

const NOT_PLAIN: Misfit = { wrong: 'must be a text, a number, true or false' }
const NOT_PLAIN_LIST: Misfit = { wrong: 'must be a list of texts, numbers, true or false' }

export function queryOf(name: string, style: ParameterStyle, value: Json): Pairs | Misfit {
  const key = encodeText(name)
  if (style.kind === 'json') return [`${key}=${encodeText(value.text)}`]
  if (value.type === 'array') {
    const items = plainItems(value)
    if (items === undefined) return NOT_PLAIN_LIST
    if (style.kind === 'joined') return items.length === 0 ? [] : [`${key}=${items.map(encodeText).join(encodeText(style.separator))}`]
    return items.map(item => `${key}=${encodeText(item)}`)
  }
  if (value.type === 'object') {
    if (style.kind !== 'deep') return NOT_PLAIN
    const pairs: string[] = []
    for (const member of value.keys()) {
      const text = plainText(value.get(member)!)
      if (text === undefined) return { wrong: 'must be a map of texts, numbers, true or false' }
      pairs.push(`${encodeText(`${name}[${member}]`)}=${encodeText(text)}`)
    }
    return pairs
  }
  const text = plainText(value)
  return text === undefined ? NOT_PLAIN : [`${key}=${encodeText(text)}`]
}

/** As Latin-1 without controls, so that it is one header and no other. */
const HEADER_VALUE = /^[\x21-\x7e\xa0-\xff](?:[\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?$/

export function headerOf({ style }: RestParameter, value: Json): string | Misfit {
  const text = listed(style, value)
  if (isMisfit(text)) return text
  return HEADER_VALUE.test(text) ? text : { wrong: 'must be one line of Latin-1, and not empty' }
}

export function cookieOf({ name, style }: RestParameter, value: Json): string | Misfit {
  const text = listed(style, value)
  return isMisfit(text) ? text : `${name}=${encodeText(text)}`
}

function listed(style: ParameterStyle, value: Json): string | Misfit {
  if (style.kind === 'json') return value.text
  if (value.type === 'array') return plainItems(value)?.join(',') ?? NOT_PLAIN_LIST
  return plainText(value) ?? NOT_PLAIN
}

function plainItems(value: Json): readonly string[] | undefined {
  const items = value.items().map(plainText)
  return items.includes(undefined) ? undefined : (items as readonly string[])
}
