// JSON texts as no well-behaved program writes them, and all of them valid: what a gateway must carry without touching it.
import fc, { type Arbitrary } from 'fast-check'

// Texts, not values: spelling is what must survive.
const number = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1e400', '-1E+2', '9007199254740993', '-9223372036854775808', '18446744073709551615', '0.1', '1e-400'),
  fc.constantFrom('123456789012345678901234567890', '0.10', '1E5', '-0.0', '4.0e0'),
  fc.integer().map(String),
)
export const string: Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map(text => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 8 }).map(text => JSON.stringify(text)),
  fc.constantFrom('""', '"\\u0041"', '"\\/"', '"\\ud83d\\ude00"', '"\u2028\u2029"', '"\\u0000"', '"__proto__"', '"\u007f"', '"\ufeff"'),
  fc.constantFrom('"e\u0301 \u00e9"', '"\ufffe\uffff"', '"\u{10ffff}"', '"\u{e0041}\u200b\u202e"', '"\\u001b[31m"', '"data: x\\n\\nid: 1"'),
)
export const key: Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 6 }),
  // Not `mcpgw`: what is the gateway's own to say is taken out of a server's answer.
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'method', 'ID', 'Result', '10', '2', '1', 'a b', 'é', '$ref'),
)
const space = fc.constantFrom('', '', '', '', ' ', '\t', '  ')
const long = fc
  .tuple(fc.constantFrom('x', 'é', '😀', '\\u0041', '\\"'), fc.integer({ min: 1000, max: 20_000 }))
  .map(([of, times]) => `"${of.repeat(times)}"`)
const deep = fc.integer({ min: 10, max: 30 }).map(depth => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`)

/** An object with these members besides what `more` may add; in any order. */
export function objectOf(members: Readonly<Record<string, Arbitrary<string>>>, more: Arbitrary<string> = leaf): Arbitrary<string> {
  const known = Object.entries(members).map(([name, value]) =>
    fc.option(
      value.map(text => `${JSON.stringify(name)}:${text}`),
      { nil: undefined, freq: 3 },
    ),
  )
  const names = fc.uniqueArray(
    key.filter(name => !Object.hasOwn(members, name) && !reserved.test(name)),
    { maxLength: 2 },
  )
  const others = fc.tuple(names, more, more).map(([keys, ...values]) => keys.map((name, i) => [JSON.stringify(name), values[i]!] as const))
  return fc.tuple(fc.tuple(...known), others, fc.boolean(), space).map(([given, extra, last, gap]) => {
    const mine = given.filter(text => text !== undefined)
    const added = extra.map(([name, text]) => `${name}${gap}:${gap}${text}`)
    return `{${gap}${(last ? [...mine, ...added] : [...added, ...mine.reverse()]).join(`,${gap}`)}}`
  })
}

// Keys of params that mean something to the gateway, or resemble such, are left to the tests that are about them.
const reserved = /^(name|arguments|_meta|uri|cursor|progresstoken|requestid|task|requeststate|inputresponses|ref|mode|url|level|x-case)$/i

const leaf = fc.oneof(fc.constantFrom('null', 'true', 'false', '{}', '[]'), number, string)
export const { value } = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(fc.uniqueArray(key, { maxLength: 4 }), fc.array(tie('value'), { minLength: 4, maxLength: 4 }), space)
      .map(([keys, values, gap]) => `{${keys.map((name, i) => `${gap}${JSON.stringify(name)}${gap}:${values[i]}`).join(',')}${gap}}`),
    { weight: 1, arbitrary: fc.oneof({ weight: 1, arbitrary: long }, { weight: 3, arbitrary: deep }, { weight: 40, arbitrary: leaf }) },
  ),
}))

/** Members of params, without the braces; none of them means anything to the gateway. */
export const members: Arbitrary<string> = fc
  .tuple(
    fc.uniqueArray(
      key.filter(name => !reserved.test(name)),
      { maxLength: 4 },
    ),
    fc.array(value, { minLength: 4, maxLength: 4 }),
  )
  .map(([keys, values]) => keys.map((name, i) => `${JSON.stringify(name)}:${values[i]}`).join(','))

const meta = objectOf({ 'x.test/trace': value, 'io.modelcontextprotocol/related-task': objectOf({ taskId: string }), traceparent: string })
const icons = fc.constantFrom(
  '[{"src":"data:image/svg+xml;base64,AA==","sizes":["any"],"theme":"dark"}]',
  '[]',
  '[{"src":"ui://x","x":-0}]',
)
const annotations = objectOf({
  audience: fc.constantFrom('["user"]', '[]', '"user"'),
  priority: number,
  readOnlyHint: fc.constant('true'),
  lastModified: string,
})
const resource = objectOf({ uri: string, mimeType: string, text: string, blob: fc.constant('"AA=="'), _meta: meta, annotations })
const block = fc.oneof(
  objectOf({ type: fc.constant('"text"'), text: string, annotations, _meta: meta }),
  objectOf({ type: fc.constant('"resource"'), resource, annotations, _meta: meta }),
  objectOf({ type: fc.constant('"resource_link"'), uri: string, name: string, icons, _meta: meta }),
  objectOf({ type: fc.constantFrom('"hologram"', '"tool_use"', '7', 'null'), data: value }),
  objectOf({ type: fc.constantFrom('"image"', '"audio"'), data: fc.constant('"AAECAw=="'), mimeType: string }),
)
const content = fc.array(block, { maxLength: 4 }).map(blocks => `[${blocks.join(',')}]`)

/** What a tool may answer, by the book and off it: without content, with structured content that fits nothing, and no object at all. */
export const toolResult: Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: objectOf({ content, structuredContent: value, isError: fc.constantFrom('true', 'false', '"yes"'), _meta: meta }, value),
  },
  { weight: 1, arbitrary: value },
)
export const otherResult: Arbitrary<string> = fc.oneof(
  objectOf({ contents: fc.array(resource, { maxLength: 3 }).map(all => `[${all.join(',')}]`), _meta: meta }, value),
  objectOf(
    { messages: content, description: string, completion: objectOf({ values: fc.constant('["a"]'), total: number }), _meta: meta },
    value,
  ),
  value,
)
export const errorObject: Arbitrary<string> = fc
  .tuple(fc.oneof(fc.integer().map(String), fc.constantFrom('-32002', '-32603', '-32099')), string, fc.option(value), fc.option(value))
  .map(([code, message, data, more]) => {
    const last = `${data === null ? '' : `,"data":${data}`}${more === null ? '' : `,"x":${more}`}`
    return `{"code":${code},"message":${message}${last}}`
  })

const schema = objectOf(
  {
    type: fc.constantFrom('"object"', '"array"', '["object","null"]'),
    properties: objectOf({ a: objectOf({ type: string, default: value, enum: fc.constant('[1.0,-0,1e400]') }) }),
    $defs: value,
    items: fc.constant('{"$ref":"#/$defs/x"}'),
    additionalProperties: value,
  },
  value,
)
/** Entries of the four lists. `name` and the uris are unique by their number. */
export const entries: Readonly<Record<'tools' | 'resources' | 'resourceTemplates' | 'prompts', (n: number) => Arbitrary<string>>> = {
  tools: n =>
    named(`"name":"t${n}"`, {
      title: string,
      description: string,
      inputSchema: schema,
      outputSchema: schema,
      annotations,
      icons,
      _meta: meta,
    }),
  resources: n =>
    named(`"uri":"x://r/${n}"`, { title: string, name: string, mimeType: string, size: number, annotations, icons, _meta: meta }),
  resourceTemplates: n => named(`"uriTemplate":"x://t/${n}/{a}"`, { title: string, name: string, annotations, icons, _meta: meta }),
  prompts: n =>
    named(`"name":"p${n}"`, { title: string, description: string, arguments: fc.constant('[{"name":"a","x":1.0}]'), icons, _meta: meta }),
}
function named(name: string, others: Readonly<Record<string, Arbitrary<string>>>): Arbitrary<string> {
  return objectOf(others, value).map(text => {
    const rest = text.slice(1, -1).trim()
    return rest === '' ? `{${name}}` : `{${rest},${name}}`
  })
}
export const listMembers: Arbitrary<string> = objectOf({ _meta: meta, 'x/more': value }, value).map(text => text.slice(1, -1).trim())
