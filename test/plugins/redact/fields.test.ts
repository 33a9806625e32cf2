// Field paths, from the config and from `redact(...)` in a policy.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parsePath } from '../../../plugins/redact/field-path.ts'
import redact from '../../../plugins/redact/index.ts'
import { discharge, exchangeOf, openStage, payloadOf, respond } from './stage.ts'

const stage = await openStage()

test('paths of keys, indices and wildcards are read; anything else is no path', () => {
  expect(parsePath('$.a[*].b[3].*["x y"][\'z\']')).toEqual([
    { kind: 'key', key: 'a' },
    { kind: 'each' },
    { kind: 'key', key: 'b' },
    { kind: 'index', index: 3 },
    { kind: 'each' },
    { kind: 'key', key: 'x y' },
    { kind: 'key', key: 'z' },
  ])
  for (const text of ['', '$', 'a', '.a', '$a', '$.', '$..a', '$[', '$[a]', '$.a b', '$["a]', '$.a.', ' $.a', '$.a '])
    expect(parsePath(text)).toBeUndefined()
})

test('an obligation masks arguments at the request stage, every leaf in its own type', async () => {
  const params = '{"name":"t","arguments":{"ssn":"x","cards":[{"number":1,"k":2},{"number":{"a":true,"b":[null,"s",1.50]}}],"a b":3}}'
  const at = { at: 'request', exchange: exchangeOf(params) } as const
  expect(await discharge(stage, ['$.ssn', '$.cards[*].number', '$["a b"]'], at)).toBe(
    '{"name":"t","arguments":{"ssn":"[REDACTED]","cards":[{"number":0,"k":2},{"number":{"a":false,"b":[null,"[REDACTED]",0]}}],"a b":0}}',
  )
  expect(at.exchange.notes.get('redact.redactions')).toEqual({ field: 6 })
})

test('an obligation masks structured content and a text that is the same JSON document, and no detector runs', async () => {
  const answer = (ssn: string): string =>
    JSON.stringify({
      content: [
        { type: 'text', text: `{ "ssn" : "${ssn}", "mail": "a@b.co", "n": 1.50 }` },
        { type: 'text', text: 'a@b.co' },
      ],
      structuredContent: { ssn, mail: 'a@b.co' },
    })
  const at = { at: 'answer', exchange: exchangeOf('{}'), answer: { kind: 'result', payload: payloadOf(answer('x')) } } as const
  expect(await discharge(stage, ['$.ssn'], at)).toBe(answer('[REDACTED]'))
})

test('an obligation masks notifications and error data', async () => {
  const exchange = exchangeOf('{}')
  const notification = { method: 'notifications/message', params: payloadOf('{"level":"info","data":{"ssn":"x"}}') }
  expect(await discharge(stage, ['$.ssn'], { at: 'notification', exchange, notification })).toBe(
    '{"level":"info","data":{"ssn":"[REDACTED]"}}',
  )
  const answer = { kind: 'error', payload: payloadOf('{"code":1,"message":"m","data":{"\\u0073sn":"x"}}') } as const
  expect(await discharge(stage, ['$.ssn'], { at: 'answer', exchange, answer })).toBe('{"code":1,"message":"m","data":{"ssn":"[REDACTED]"}}')
})

test('a path that names nothing passes; an argument that is no path is an unmet obligation', async () => {
  const at = { at: 'request', exchange: exchangeOf('{"arguments":{"a":[{"b":1}]}}') } as const
  for (const path of ['$.b', '$.a.b', '$.a[1].b', '$[0]']) expect(await discharge(stage, [path], at)).toBe('pass')
  expect(await discharge(stage, ['ssn'], at)).toBe('unmet-obligation')
  expect(await discharge(stage, [7], at)).toBe('unmet-obligation')
  expect(await discharge(stage, [], at)).toBe('unmet-obligation')
})

test('fields of the config are masked beside what the detectors find', async () => {
  const own = await openStage({ fields: ['$.patient.name'] })
  expect(await respond(own, '{"structuredContent":{"patient":{"name":"Ann","mail":"a@b.co"}}}')).toBe(
    '{"structuredContent":{"patient":{"name":"[REDACTED]","mail":"[EMAIL]"}}}',
  )
  const twin = '{"content":[{"type":"text","text":"{\\"patient\\":{\\"name\\":\\"Ann\\",\\"card\\":4111111111111111}}"}]}'
  expect(await respond(own, twin)).toBe('{"content":[{"type":"text","text":"{\\"patient\\":{\\"name\\":\\"[REDACTED]\\",\\"card\\":0}}"}]}')
})

test('an unknown key, detector, action or path in the config is an error', async () => {
  for (const given of [
    { detector: [] },
    { detectors: ['cards'] },
    { actions: { card: 'hide' } },
    { fields: ['ssn'] },
    { exempt: { server: [] } },
  ]) {
    expect((await redact.config['~standard'].validate(given)).issues).toHaveLength(1)
  }
})

test('every config in the README is one the plugin takes', async () => {
  const readme = readFileSync(new URL('../../../plugins/redact/README.md', import.meta.url), 'utf8')
  const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, block]) => parse(block!) as { plugins: (string | { redact: unknown })[] },
  )
  expect(blocks.length).toBeGreaterThan(1)
  for (const { plugins } of blocks) {
    for (const plugin of plugins) if (typeof plugin !== 'string') expect(await openStage(plugin.redact)).toBeDefined()
  }
})
