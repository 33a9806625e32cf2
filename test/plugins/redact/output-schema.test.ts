// A masked result still fits the output schema of its tool, as the client's validator sees it; where nothing fits it is withheld, with the reason.
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import type { Answer, JsonObject } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { exchangeOf, openStage, payloadOf, type Stage } from './stage.ts'

const card = '4111111111111111'
const mail = 'ann@example.com'
const ajv = new Ajv2020({
  strict: false,
  formats: {
    email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
    uri: /^[a-z]+:\/\/[^\s[\]]+$/,
    date: /^\d{4}-\d\d-\d\d$/,
    'date-time': text => !Number.isNaN(Date.parse(text)) && text.includes('T'),
  },
})

interface Shown {
  readonly structuredContent: unknown
  readonly content: readonly { readonly text: string }[]
}

/** The result as it is shown, or why it is withheld. */
async function answer(stage: Stage, outputSchema: object, structuredContent: unknown): Promise<Shown | string> {
  const definition = payloadOf(JSON.stringify({ name: 'read', inputSchema: { type: 'object' }, outputSchema }))
  const exchange = exchangeOf('{}', { kind: 'call', server: 'files', tool: 'read', definition })
  const result = { content: [{ type: 'text', text: JSON.stringify(structuredContent, null, 2) }], structuredContent }
  const given: Answer = { kind: 'result', payload: payloadOf(JSON.stringify(result)) }
  const verdict = await stage.hooks.onResponse!(exchange, given)
  if (verdict.kind === 'deny') return verdict.reason
  return JSON.parse(verdict.kind === 'rewrite' ? JSON.stringify(verdict.value) : JSON.stringify(result)) as Shown
}

/** What stands for the value, which fits and is told alike by the text. */
async function shown(schema: object, value: unknown, config: object = {}): Promise<unknown> {
  const stage = await openStage(config)
  const outputSchema = { type: 'object', properties: { v: schema }, required: ['v'] }
  expect(ajv.validate(outputSchema, { v: value }), 'fits before').toBe(true)
  const result = await answer(stage, outputSchema, { v: value })
  if (typeof result === 'string') return result
  expect(ajv.validate(outputSchema, result.structuredContent), JSON.stringify(result.structuredContent)).toBe(true)
  expect(JSON.parse(result.content[0]!.text)).toEqual(result.structuredContent)
  return (result.structuredContent as { v: unknown }).v
}

test('a text is masked as anywhere where its schema takes the mask', async () => {
  expect(await shown({ type: 'string' }, mail)).toBe('[EMAIL]')
  expect(await shown({ anyOf: [{ type: 'string' }, { type: 'null' }] }, mail)).toBe('[EMAIL]')
  expect(await shown({ type: 'string', minLength: 3, maxLength: 40 }, card)).toBe('************1111')
})

test('a format gets a text of that format that reaches nobody', async () => {
  expect(await shown({ type: 'string', format: 'email' }, mail)).toBe('redacted@redacted.invalid')
  expect(await shown({ anyOf: [{ type: 'string', format: 'email' }, { type: 'null' }] }, mail)).toBe('redacted@redacted.invalid')
  expect(await shown({ type: 'string', format: 'date' }, '1999-12-31', { fields: ['$.v'] })).toBe('1970-01-01')
})

test('a pattern and a length get the shape of the value, without its characters', async () => {
  expect(await shown({ type: 'string', pattern: '^\\d{3}-\\d{2}-\\d{4}$' }, '123-45-6789')).toBe('000-00-6789')
  expect(await shown({ type: 'string', pattern: '^[a-z]{3}@[a-z]+\\.com$' }, 'ann@example.com', { actions: { email: 'token' } })).toBe(
    'masked, it would not fit the output schema of its tool at /v',
  )
})

test('a number gets a bound of its range', async () => {
  expect(await shown({ type: 'number' }, 4111111111111111)).toBe(0)
  expect(await shown({ type: 'integer', minimum: 1 }, 4111111111111111)).toBe(1)
  expect(await shown({ type: 'integer', exclusiveMinimum: 10, multipleOf: 5 }, 40, { fields: ['$.v'] })).toBe(15)
  expect(await shown({ type: 'integer', maximum: -5 }, -40, { fields: ['$.v'] })).toBe(-5)
})

test('where nothing that is allowed hides the value, the result is withheld and says where', async () => {
  const why = (at: string) => `masked, it would not fit the output schema of its tool at ${at}`
  expect(await shown({ enum: ['a', 'b'] }, 'a', { fields: ['$.v'] })).toBe(why('/v'))
  expect(await shown({ const: mail }, mail)).toBe(why('/v'))
  expect(await shown({ type: 'boolean', const: true }, true, { fields: ['$.v'] })).toBe(why('/v'))
  expect(await shown({ type: 'string', pattern: '^ann' }, mail)).toBe(why('/v'))
  expect(await shown({ type: 'array', uniqueItems: true, items: { type: 'string' } }, [mail, 'bob@example.com'])).toBe(why('/v'))
  expect(await shown({ type: 'object', propertyNames: { pattern: '@' } }, { [mail]: 1 })).toBe(why('/v/[EMAIL]'))
  expect(await shown({ type: 'object', patternProperties: { '@': {} }, additionalProperties: false }, { [mail]: 1 })).toBe(
    why('/v/[EMAIL]'),
  )
  expect(await shown({ type: 'object', required: [mail] }, { [mail]: 1 })).toBe(why('/v'))
})

test('with tokens, members of a set stay apart', async () => {
  const emails = { type: 'array', uniqueItems: true, items: { type: 'string' } }
  expect(await shown(emails, [mail, 'bob@example.com'], { actions: { email: 'token' } })).toHaveLength(2)
})

test('an obligation of a policy is held to the schema too', async () => {
  const stage = await openStage()
  const definition = payloadOf(JSON.stringify({ outputSchema: { type: 'object', properties: { state: { enum: ['open', 'shut'] } } } }))
  const exchange = exchangeOf('{}', { kind: 'call', server: 'files', tool: 'read', definition })
  const given: Answer = { kind: 'result', payload: payloadOf('{"content":[],"structuredContent":{"state":"open"}}') }
  expect(
    await stage.hooks.discharge!({ name: 'redact', args: [{ value: '$.state' }] }, { at: 'answer', exchange, answer: given }),
  ).toMatchObject({
    kind: 'deny',
    code: 'withheld',
  })
})

// Schemas as servers write them: references, unions told apart by a constant, tuples, open maps.
const leaf = fc.oneof(
  fc.constantFrom<[object, unknown]>(
    [{ type: 'string' }, mail],
    [{ type: 'string', format: 'email' }, mail],
    [{ type: ['string', 'null'], maxLength: 20 }, mail],
    [{ type: 'string', pattern: '^[0-9]{16}$' }, card],
    [{ type: 'string', minLength: 12 }, mail],
    [{ type: 'integer', minimum: 100 }, 4111111111111111],
    [{ oneOf: [{ type: 'string', format: 'email' }, { type: 'integer' }] }, mail],
    [{ type: 'string' }, 'nothing'],
    [{ enum: ['a', 'b'] }, 'a'],
    [{ type: 'boolean' }, true],
    [{ $ref: '#/$defs/mail' }, mail],
  ),
)
const described: fc.Arbitrary<[object, unknown]> = fc.letrec<{ node: [object, unknown] }>(tie => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .array(tie('node'), { minLength: 1, maxLength: 3 })
      .map(([...parts]): [object, unknown] => [
        { type: 'array', prefixItems: parts.map(([schema]) => schema), items: { type: 'string' } },
        [...parts.map(([, value]) => value), mail],
      ]),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')).map((parts): [object, unknown] => [
      {
        type: 'object',
        properties: Object.fromEntries(Object.entries(parts).map(([key, [schema]]) => [key, schema])),
        required: Object.keys(parts),
        additionalProperties: { type: 'string' },
      },
      { ...Object.fromEntries(Object.entries(parts).map(([key, [, value]]) => [key, value])), [mail]: 'x' },
    ]),
    tie('node').map(([schema, value]): [object, unknown] => [
      {
        oneOf: [
          { type: 'object', properties: { kind: { const: 'one' }, v: schema }, required: ['kind'] },
          { type: 'object', properties: { kind: { const: 'two' }, v: { type: 'integer', minimum: 7 } }, required: ['kind'] },
        ],
      },
      { kind: 'one', v: value },
    ]),
    tie('node').map(([schema, value]): [object, unknown] => [{ allOf: [schema, {}], anyOf: [schema, { type: 'null' }] }, value]),
  ),
})).node

test('whatever the schema: a result that fitted fits once masked, alike in both forms, and holds nothing of the value', async () => {
  const stage = await openStage()
  let masked = 0
  await fc.assert(
    fc.asyncProperty(described, async ([schema, value]) => {
      const outputSchema = {
        type: 'object',
        properties: { v: schema, again: { type: 'string' } },
        $defs: { mail: { type: 'string', format: 'email' } },
      }
      const validate = new Ajv2020({ strict: false, formats: { email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/ } }).compile(outputSchema)
      const given = { v: value, again: mail } as unknown as JsonObject
      expect(validate(given)).toBe(true)
      const result = await answer(stage, outputSchema, given)
      if (typeof result === 'string') return
      masked++
      expect(validate(result.structuredContent), JSON.stringify(result.structuredContent)).toBe(true)
      expect(JSON.stringify(result)).not.toMatch(/ann@example\.com|411111/)
      expect(JSON.parse(result.content[0]!.text)).toEqual(result.structuredContent)
    }),
    { numRuns: 60 },
  )
  expect(masked).toBeGreaterThan(40)
})
