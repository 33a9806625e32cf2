// What the config takes, and what it says of what it does not.
import { expect, test } from 'vitest'
import { config } from '../../../plugins/cache/config.ts'
import { personal } from '../../../plugins/cache/personal.ts'

const check = async (given: unknown) => config['~standard'].validate(given)
const problems = async (given: unknown): Promise<readonly string[]> => {
  const checked = await check(given)
  return (checked.issues ?? []).map(({ message, path = [] }) => `${path.map(String).join('.')}: ${message}`)
}

test('spans, sizes and one pattern or several', async () => {
  expect(
    await check({
      rules: [
        { tools: 'a/*', ttl: '1m30s', negative: '500ms' },
        { prompts: ['a/b'], ttl: 'never', scope: 'rights' },
      ],
    }),
  ).toMatchObject({
    value: {
      maxEntries: 10_000,
      maxBytes: 67_108_864,
      rules: [
        { tools: ['a/*'], ttl: 90_000, negative: 500, scope: 'principal', maxResultBytes: 262_144 },
        { prompts: ['a/b'], ttl: 0, scope: 'rights' },
      ],
    },
  })
})

test.each<[string, unknown, string]>([
  ['no subject', { ttl: '1m' }, 'rules.0: expected one of tools, readOnlyTools, resources, prompts, found none'],
  [
    'two subjects',
    { tools: 'a/*', prompts: 'a/*', ttl: '1m' },
    'rules.0: expected one of tools, readOnlyTools, resources, prompts, found tools and prompts',
  ],
  [
    'a pattern without a server',
    { tools: 'read_*', ttl: '1m' },
    'rules.0.tools: expected SERVER/NAME, with * for any text, such as "files/read_*", or a list of them',
  ],
  ['no time', { tools: 'a/*', ttl: '0s' }, 'rules.0.ttl: expected "never" or a span of up to 1d such as "30s"'],
  ['more than a day', { tools: 'a/*', ttl: '25h' }, 'rules.0.ttl: expected "never" or a span of up to 1d such as "30s"'],
  [
    'a wait longer than a hook may take',
    { tools: 'a/*', ttl: '1m', together: '5s' },
    'rules.0.together: expected a span of up to 4s such as "30s" or "5m", found "5s"',
  ],
  ['never, and errors', { tools: 'a/*', ttl: 'never', negative: '1s' }, 'rules.0.negative: expected none beside ttl: never'],
])('%s is refused, and it is said what was expected', async (_what, rule, expected) => {
  expect(await problems({ rules: [rule] })).toEqual([expected])
})

test('an unknown key is refused', async () => {
  expect(await problems({ rules: [], ttl: '1m' })).toHaveLength(1)
})

test('erasing somebody tells how long a running gateway may still keep an answer', async () => {
  const checked = await check({
    rules: [
      { tools: 'a/*', ttl: '1m', staleIfError: '5m' },
      { tools: 'b/*', ttl: '10s', negative: '30s' },
    ],
  })
  if (checked.issues !== undefined) throw new Error('unexpected')
  const person = { id: 'ann', subjects: [] }
  const io = { config: checked.value } as never
  expect(personal.export(person, io)).toBeUndefined()
  expect(await personal.erase(person, io)).toEqual({
    entries: 0,
    left: 'answers that a running gateway keeps in memory end within 6m, or when it is stopped',
  })
})
