// What is kept, for how long, and what is never kept.
import { answer, pass, rewrite } from 'mcpgw/plugin'
import { checkPlugin } from 'mcpgw/testing'
import { describe, expect, test } from 'vitest'
import { Json } from '../../../core/mcp/json.ts'
import cache from '../../../plugins/cache/index.ts'
import { decider, FOUND, plug, reader, text, world } from './world.ts'

const minute = { rules: [{ tools: 'files/*', ttl: '1m' }] }

test('keeps the promises that every plugin makes', async () => {
  const checks = await checkPlugin(cache, { config: minute })
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
})

describe('an answer', () => {
  test('is given again until its time has passed, and the server is not asked', async () => {
    const w = await world(minute)
    expect(text(await w.call())).toBe('answer 1')
    await w.clock.advance(59_999)
    const hit = await w.call()
    expect([text(hit), hit.asked]).toEqual(['answer 1', false])
    expect(hit.notes.get('cache.answer')).toEqual({ ageMs: 59_999 })
    await w.clock.advance(1)
    expect(text(await w.call())).toBe('answer 2')
    expect([w.metric('hits_total'), w.metric('misses_total'), w.metric('evictions_total')]).toEqual([1, 2, 1])
  })

  test('is the one that the server gave, byte for byte', async () => {
    const w = await world(minute)
    const bytes = '{"content":[],"structuredContent":{"n":9007199254740993,"x":1.0,"__proto__":[1],"a b":"\\u00e9"}}'
    w.answer = () => ({ result: (Json.scan(Buffer.from(bytes)) as Json).value })
    const first = await w.call()
    const again = await w.call()
    expect(again.asked).toBe(false)
    expect(again.answer?.payload.text).toBe(first.answer?.payload.text)
  })

  test('of other arguments is another; their order makes no difference, what only says how to answer neither', async () => {
    const w = await world(minute)
    const ask = (args: object, meta?: object) =>
      w.call({ params: { name: 'read', arguments: args as never, ...(meta && { _meta: meta as never }) } })
    await ask({ a: 1, b: { c: 2, d: 3 } })
    expect((await ask({ b: { d: 3, c: 2 }, a: 1 }, { progressToken: 7, traceparent: '00-1' })).asked).toBe(false)
    expect((await ask({ a: 1, b: { c: 2, d: 4 } })).asked).toBe(true)
    expect((await ask({ a: 1, b: { c: 2, d: 3 } }, { 'example.com/unit': 'km' })).asked).toBe(true)
    expect((await ask({ a: 1, b: { c: 2, d: 3 } }, { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } })).asked).toBe(true)
  })

  test('is not that of another revision, endpoint, server, tool or definition', async () => {
    const w = await world({ rules: [{ tools: '*/*'.replace('*/', 'files*/'), ttl: '1m' }] })
    await w.call()
    expect((await w.call({ protocolVersion: '2026-07-28' })).asked).toBe(true)
    expect((await w.call({ path: '/mcp/files' })).asked).toBe(true)
    expect((await w.call({ resource: { kind: 'call', server: 'files2', tool: 'read' } })).asked).toBe(true)
    expect((await w.call({ resource: { kind: 'call', server: 'files', tool: 'list' } })).asked).toBe(true)
    const defined = (description: string) =>
      w.call({ resource: { kind: 'call', server: 'files', tool: 'read', definition: Json.of({ name: 'read', description }) } })
    expect((await defined('one')).asked).toBe(true)
    expect((await defined('one')).asked).toBe(false)
    expect((await defined('two')).asked).toBe(true)
    expect((await w.call()).asked).toBe(false)
  })

  test('of what no rule fits is never kept; the first rule that fits holds', async () => {
    const w = await world({
      rules: [
        { tools: 'files/read_log', ttl: 'never' },
        { tools: ['files/read_*', 'files/list'], ttl: '1m' },
      ],
    })
    const twice = async (tool: string) => {
      await w.call({ resource: { kind: 'call', server: 'files', tool } })
      return (await w.call({ resource: { kind: 'call', server: 'files', tool } })).asked
    }
    expect(await Promise.all(['read_log', 'read_file', 'list', 'write'].map(twice))).toEqual([true, false, false, true])
  })

  test('of a tool is kept under readOnlyTools only where its server marks it so', async () => {
    const w = await world({ rules: [{ readOnlyTools: 'files/*', ttl: '1m' }] })
    const twice = async (definition: object | undefined) => {
      const resource = {
        kind: 'call' as const,
        server: 'files',
        tool: 'read',
        ...(definition && { definition: Json.of(definition as never) }),
      }
      await w.call({ resource })
      return (await w.call({ resource })).asked
    }
    expect(await twice({ name: 'read', annotations: { readOnlyHint: true } })).toBe(false)
    for (const other of [
      undefined,
      { name: 'read' },
      { name: 'read', annotations: { readOnlyHint: 'true' } },
      { name: 'read', annotations: { readOnlyHint: false } },
    ])
      expect(await twice(other)).toBe(true)
  })

  test('of a resource and of a prompt is kept under rules of their own', async () => {
    const w = await world({
      rules: [
        { resources: 'docs/file:///pub/*', ttl: '1m' },
        { prompts: 'docs/greet', ttl: '1m' },
      ],
    })
    const read = (uri: string, action = 'resources/read') =>
      w.call({ action, resource: { kind: 'read', server: 'docs', uri }, params: { uri } })
    const get = (action = 'prompts/get') =>
      w.call({ action, resource: { kind: 'prompt', server: 'docs', prompt: 'greet' }, params: { name: 'greet' } })
    await read('file:///pub/a')
    await read('file:///etc/a')
    await get()
    expect((await read('file:///pub/a')).asked).toBe(false)
    expect((await read('file:///etc/a')).asked).toBe(true)
    expect((await get()).asked).toBe(false)
    for (const action of ['resources/subscribe', 'completion/complete']) expect((await read('file:///pub/a', action)).asked).toBe(true)
    expect((await get('completion/complete')).asked).toBe(true)
  })

  test('passes plugins before and behind as that of a server does', async () => {
    const seen: string[] = []
    const mark = (name: string) =>
      plug(name, ['rewrites-response'], {
        onResponse(_x, { payload }) {
          seen.push(name)
          return rewrite({ ...(payload.value as object), [name]: true })
        },
      })
    const w = await world(minute, { before: [mark('outer')], after: [mark('inner')] })
    const first = await w.call()
    const again = await w.call()
    expect(again.asked).toBe(false)
    expect(again.value).toEqual(first.value)
    expect(seen).toEqual(['inner', 'outer', 'inner', 'outer'])
  })
})

describe('never kept', () => {
  test.each([
    ['an error of the server', { error: { code: -32000, message: 'no' } }],
    ['an error of the tool', { result: { ...FOUND, isError: true } }],
    ['an error of the gateway', { code: 'denied' as const }],
    ['a task', { result: { task: { taskId: 't-1' } } }],
    ['what is longer than the rule allows', { result: { content: [{ type: 'text', text: 'x'.repeat(2000) }] } }],
    ['what the server says is over at once', { result: { ...FOUND, ttlMs: 0 } }],
    ['what a server says with a negative time', { result: { ...FOUND, ttlMs: -5 } }],
    ['what a server says with no time at all', { result: { ...FOUND, ttlMs: 'long' } }],
  ])('%s', async (_what, reply) => {
    const w = await world({ rules: [{ tools: 'files/*', ttl: '1m', maxResultBytes: 1000 }] })
    w.answer = () => reply
    await w.call()
    expect((await w.call()).asked).toBe(true)
    expect(w.metric('entries')).toBe(0)
    expect(w.metric('not_kept_total')).toBe(2)
  })

  test('what asks for input, and whatever is made again with what was asked for, or as a task', async () => {
    const w = await world(minute)
    const modern = { protocolVersion: '2026-07-28' }
    w.answer = () => ({ result: { resultType: 'input_required', requestState: 's' } })
    await w.call(modern)
    w.answer = () => ({ result: { ...FOUND, resultType: 'complete' } })
    for (const more of [{ requestState: 's' }, { inputResponses: {} }, { task: { ttl: 1 } }]) {
      const params = { name: 'read', arguments: { path: '/a' }, ...more }
      await w.call({ ...modern, params })
      expect((await w.call({ ...modern, params })).asked).toBe(true)
    }
    expect((await w.call(modern)).asked).toBe(true)
    expect((await w.call(modern)).asked).toBe(false)
  })

  test('what came while the server asked a client for something', async () => {
    const w = await world(minute)
    w.answer = async () => {
      await w.call({
        direction: 'to-client',
        action: 'sampling/createMessage',
        resource: { kind: 'method', server: 'files', method: 'sampling/createMessage' },
      })
      return { result: FOUND }
    }
    await w.call()
    expect(w.metric('entries')).toBe(0)
  })

  test('what a plugin refuses to show', async () => {
    const w = await world(minute, {
      before: [plug('guard', [], { onResponse: () => ({ kind: 'deny', code: 'denied', reason: 'not this' }) })],
    })
    expect((await w.call()).answer?.code).toBe('withheld')
    expect((await w.call()).answer?.code).toBe('withheld')
  })
})

describe('where errors are kept, they are given again', () => {
  test.each([
    ['of the server', { error: { code: -32000, message: 'no' } }],
    ['of the tool', { result: { ...FOUND, isError: true } }],
  ])('%s, for their own time', async (_what, reply) => {
    const w = await world({ rules: [{ tools: 'files/*', ttl: '1m', negative: '5s' }] })
    w.answer = () => reply
    const first = await w.call()
    const again = await w.call()
    expect(again.asked).toBe(false)
    expect([again.answer?.kind, again.answer?.isToolError, again.value]).toEqual([
      first.answer?.kind,
      first.answer?.isToolError,
      first.value,
    ])
    await w.clock.advance(5000)
    expect((await w.call()).asked).toBe(true)
  })
})

describe('what a server says of its answer', () => {
  test('makes its time shorter, never longer; who gets it later is told what is left', async () => {
    const w = await world(minute)
    w.answer = () => ({ result: { ...FOUND, ttlMs: 10_000, cacheScope: 'public' } })
    await w.call()
    await w.clock.advance(4000)
    const hit = await w.call()
    expect(hit.value).toEqual({ ...FOUND, ttlMs: 6000, cacheScope: 'public' })
    await w.clock.advance(6000)
    expect((await w.call()).asked).toBe(true)
    w.answer = () => ({ result: { ...FOUND, ttlMs: Number.MAX_SAFE_INTEGER } })
    await w.clock.advance(10_000)
    await w.call()
    await w.clock.advance(60_000)
    expect((await w.call()).asked).toBe(true)
  })

  test.each(['private', 'elsewhere'])('scope %s keeps it for whoever it was given to', async cacheScope => {
    const w = await world({ rules: [{ tools: 'files/*', ttl: '1m', scope: 'rights' }] })
    w.answer = () => ({ result: { ...FOUND, ttlMs: 10_000, cacheScope } })
    await w.call()
    expect((await w.call()).asked).toBe(false)
    expect((await w.call({ principal: { ...reader, id: 'ben' } })).asked).toBe(true)
  })
})

describe('once a server says that it has changed', () => {
  test('nothing that was kept of that kind is given, nor what was on its way', async () => {
    const w = await world({
      rules: [
        { tools: 'files/*', ttl: '1m' },
        { resources: 'files/*', ttl: '1m' },
      ],
    })
    const read = () => w.call({ action: 'resources/read', resource: { kind: 'read', server: 'files', uri: 'a:b' }, params: { uri: 'a:b' } })
    await w.call()
    await read()
    w.kernel.pipeline.changed({ server: 'other', of: 'tools' })
    expect((await w.call()).asked).toBe(false)
    w.kernel.pipeline.changed({ server: 'files', of: 'tools' })
    w.answer = () => {
      w.kernel.pipeline.changed({ server: 'files', of: 'tools' })
      return { result: FOUND }
    }
    expect((await w.call()).asked).toBe(true)
    expect((await w.call()).asked).toBe(true)
    expect((await read()).asked).toBe(false)
    w.kernel.pipeline.changed({ server: 'files', of: 'resources' })
    expect((await read()).asked).toBe(true)
  })
})

describe('where the server cannot be reached', () => {
  const rules = { rules: [{ tools: 'files/*', ttl: '1m', staleIfError: '5m' }] }

  test.each(['upstream-unavailable', 'upstream-crashed', 'upstream-timeout', 'upstream-busy'] as const)(
    '%s: an answer that has ended stands in, and says so',
    async code => {
      const w = await world(rules)
      w.answer = () => ({ result: { ...FOUND, _meta: { 'example.com/a': 1 } } })
      await w.call()
      w.answer = () => ({ code })
      await w.clock.advance(90_000)
      const got = await w.call()
      expect(got.asked).toBe(true)
      expect(got.value).toEqual({ ...FOUND, _meta: { 'example.com/a': 1, 'mcpgw/cache': { stale: true, ageMs: 90_000 } } })
      expect(got.notes.get('cache.answer')).toEqual({ ageMs: 90_000, stale: true })
      expect(w.metric('stale_total')).toBe(1)
      await w.clock.advance(269_999)
      expect((await w.call()).answer?.kind).toBe('result')
      await w.clock.advance(1)
      expect((await w.call()).answer?.code).toBe(code)
    },
  )

  test('it is not kept anew, and what is up again is asked', async () => {
    const w = await world(rules)
    await w.call()
    await w.clock.advance(60_000)
    const before = w.answer
    w.answer = () => ({ code: 'upstream-unavailable' })
    await w.call()
    expect((await w.call()).asked).toBe(true)
    w.answer = before
    expect(text(await w.call())).toBe('answer 4')
    expect((await w.call()).asked).toBe(false)
  })

  test('other errors, errors that are kept, and rules without it, stay errors', async () => {
    const w = await world(rules)
    await w.call()
    await w.clock.advance(60_000)
    w.answer = () => ({ code: 'denied' })
    expect((await w.call()).answer?.code).toBe('denied')
    const plain = await world({ rules: [{ tools: 'files/*', ttl: '1m', negative: '1h' }] })
    await plain.call()
    await plain.clock.advance(60_000)
    plain.answer = () => ({ code: 'upstream-unavailable' })
    expect((await plain.call()).answer?.code).toBe('upstream-unavailable')
  })

  test('it passes obligations and masks of whoever gets it', async () => {
    const masker = plug(
      'masker',
      ['masks'],
      {
        discharge: (_duty, stage) =>
          stage.at === 'answer' && stage.answer.kind === 'result' ? rewrite({ content: [{ type: 'text', text: 'xxx' }] }) : pass,
      },
      { discharges: ['hide'] },
    )
    const { plugin } = decider({ duties: () => [{ name: 'hide', args: [] }] })
    const w = await world({ rules: [{ tools: 'files/*', ttl: '1m', staleIfError: '5m' }] }, { before: [plugin, masker] })
    await w.call()
    w.answer = () => ({ code: 'upstream-crashed' })
    await w.clock.advance(60_000)
    expect(w.log.filter(({ level }) => level === 'error')).toEqual([])
    expect(text(await w.call())).toBe('xxx')
  })
})

describe('equal calls at once', () => {
  const rules = { rules: [{ tools: 'files/*', ttl: '1m', together: '2s' }] }

  test('wait for the one that is under way, and get its answer', async () => {
    const w = await world(rules)
    let release = (): void => {}
    w.answer = () =>
      new Promise(resolve => {
        release = () => resolve({ result: FOUND })
      })
    const all = [w.call(), w.call(), w.call()]
    await w.clock.advance(1)
    expect(w.asks).toBe(1)
    release()
    const got = await Promise.all(all)
    expect(got.map(one => one.asked)).toEqual([true, false, false])
    expect(got.map(one => one.value)).toEqual([FOUND, FOUND, FOUND])
  })

  test('go themselves once the time is over, or where there is no answer to be had', async () => {
    const w = await world(rules)
    const releases: (() => void)[] = []
    w.answer = () => new Promise(resolve => void releases.push(() => resolve({ error: { code: 1, message: 'no' } })))
    const all = [w.call(), w.call()]
    await w.clock.advance(1)
    expect(w.asks).toBe(1)
    await w.clock.advance(2000)
    expect(w.asks).toBe(2)
    const late = w.call()
    await w.clock.advance(1)
    for (const release of releases) release()
    await w.clock.advance(1)
    expect(w.asks).toBe(3)
    releases.at(-1)!()
    expect((await Promise.all([...all, late])).every(one => one.answer?.kind === 'error')).toBe(true)
  })
})

test('a plugin that decides and does not say by what is no company for it', async () => {
  await expect(world(minute, { before: [plug('own', ['decides'], {})] })).rejects.toThrow('decision-basis')
})

test('a limit that stands before counts what is answered from here', async () => {
  let counted = 0
  const limit = plug('limit', [], { onRequest: () => (++counted > 2 ? { kind: 'deny', code: 'rate-limited', reason: 'enough' } : pass) })
  const w = await world(minute, { after: [limit] })
  await w.call()
  expect((await w.call()).asked).toBe(false)
  expect((await w.call()).answer).toBeUndefined()
})

test('another plugin that answers first is believed', async () => {
  const w = await world(minute, { before: [plug('other', ['answers'], { onRequest: () => answer({ content: [] }) })] })
  expect((await w.call()).value).toEqual({ content: [] })
})
