// The input of an operation out of path, query and body: nothing that a caller gives gets lost before the schema has seen it.
import { defineOperation } from 'mcpgw/plugin'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Json } from '../../../core/mcp/json.ts'
import { inputOf } from '../../../core/operations/input.ts'

const operation = defineOperation({
  name: 'look',
  summary: 'Looks.',
  route: 'GET /look/{id}',
  effect: 'reads',
  scope: 'tenant',
  input: z.strictObject({ id: z.string(), limit: z.int().optional(), by: z.array(z.enum(['server', 'tool'])).optional() }),
  output: z.object({}),
  perform: async () => ({ kind: 'done', value: {} }),
})
const textOf = (given: Record<string, string | string[]>, body?: Json): string =>
  Buffer.from(inputOf(operation, given, body).bytes).toString()

it('texts become what the schema says, and the path beats the body', () => {
  expect(textOf({ id: '7', limit: '12', by: 'tool' }, Json.of({ id: '8', more: true }))).toBe(
    '{"id":"7","more":true,"limit":12,"by":["tool"]}',
  )
  expect(textOf({ id: 'a', limit: 'many', by: ['server', 'tool'] })).toBe('{"id":"a","limit":"many","by":["server","tool"]}')
})

it('a name that objects have from birth is a name like any other', () => {
  const given = Object.fromEntries([['id', '7'], ...['__proto__', 'constructor'].map(name => [name, 'x'])]) as Record<string, string>
  expect(textOf(given)).toBe('{"id":"7","__proto__":"x","constructor":"x"}')
})
