// `audit log` and `audit stats`: filters, tables that no terminal acts on, one JSON document.
import { beforeAll, describe, expect, test } from 'vitest'
import { agent, call, createExchange, payload, refused, result, runCommand, startGateway, tempDir } from './gateway.ts'

let dir: string
let began: number
beforeAll(async () => {
  dir = tempDir()
  began = Date.now()
  const gateway = await startGateway({ dir })
  await call(gateway, createExchange())
  await call(gateway, createExchange({ resource: { kind: 'call', server: 'shell', tool: 'run' } }), result({ isError: true }))
  await call(gateway, createExchange({ principal: { ...agent, id: 'agent-2' } }), {
    kind: 'error',
    payload: payload({}),
    code: 'upstream-timeout',
  })
  await call(gateway, createExchange({ resource: { kind: 'read', server: 'files', uri: 'file:///a' } }))
  await gateway.hooks.onSettled!(createExchange({ principal: { ...agent, id: 'bad\u001b[31m\nid\u202e' } }), {
    kind: 'denied',
    decision: refused,
  })
  await gateway.hooks.onSealed!(createExchange({ resource: { kind: 'call', server: 'files', tool: 'pending' } }))
  return () => gateway.stop()
})

const log = async (options: Record<string, string | boolean> = {}, now?: number): Promise<{ status?: string; tool?: string }[]> => {
  const ran = await runCommand(dir, 'audit log', { json: true, ...options }, now === undefined ? {} : { now })
  expect(ran.code).toBe(0)
  return (JSON.parse(ran.out) as { records: { outcome?: string; type: string; tool?: string }[] }).records.map(one => ({
    status: one.outcome ?? one.type,
    ...(one.tool === undefined ? {} : { tool: one.tool }),
  }))
}

describe('audit log', () => {
  test('shows what happened, newest last, without the intents', async () => {
    const done = ['answered', 'tool-error', 'timeout', 'answered', 'refusal']
    expect((await log()).map(one => one.status)).toEqual(['gateway.start', ...done])
    const all = (await log({ all: true })).map(one => one.status)
    expect(all.filter(status => status !== 'intent')).toEqual(['stream.start', 'gateway.start', 'audit.checkpoint', ...done])
    expect(all).toHaveLength(13)
    expect((await log({ limit: '2' })).map(one => one.status)).toEqual(['answered', 'refusal'])
    expect((await log({ intents: true })).filter(one => one.status === 'intent')).toHaveLength(5)
  })

  test.each([
    [{ consumer: 'agent-2' }, ['timeout']],
    [{ server: 'shell' }, ['tool-error']],
    [{ tool: 'file:///a' }, ['answered']],
    [{ status: 'refused' }, ['refusal']],
    [{ status: 'timeout' }, ['timeout']],
    [{ status: 'open' }, ['intent']],
    [{ decision: 'deny' }, ['refusal']],
    [{ decision: 'allow', tool: 'read', consumer: 'agent-1' }, ['answered']],
    [{ consumer: 'nobody' }, []],
  ] as const)('filters by %j', async (options, expected) => {
    expect((await log(options)).map(one => one.status)).toEqual(expected)
  })

  test('--since and --until take dates and times ago', async () => {
    const later = began + 3_600_000
    expect(await log({ since: '2h' }, later)).toHaveLength(6)
    expect(await log({ since: '1m' }, later)).toHaveLength(0)
    expect(await log({ until: new Date(began - 1000).toISOString() })).toHaveLength(0)
    expect(await log({ since: new Date(began - 1000).toISOString() })).toHaveLength(6)
  })

  test('what it cannot understand is a usage error', async () => {
    for (const options of [{ limit: '0' }, { limit: 'x' }, { since: 'yesterday' }, { until: '2h ago' }] as Record<string, string>[]) {
      const ran = await runCommand(dir, 'audit log', options)
      expect([ran.code, ran.out]).toEqual([2, ''])
      expect(ran.err).toContain('expected')
    }
  })

  test('the table escapes whatever a terminal would act on, and keeps a record on one line', async () => {
    const ran = await runCommand(dir, 'audit log', { status: 'refused' })
    expect(ran.out.split('\n')).toHaveLength(3)
    expect(ran.out).toContain('bad\\u{1b}[31m\\u{a}id\\u{202e}')
    for (const char of ['\u001b', '\u202e']) expect(ran.out).not.toContain(char)
    expect(ran.out).toContain('denied · policy/no-secrets · not for you')
  })

  test('a missing log is 3, an empty answer is not', async () => {
    expect((await runCommand(tempDir(), 'audit log')).code).toBe(3)
    expect(await runCommand(dir, 'audit log', { consumer: 'nobody' })).toMatchObject({ code: 0, out: 'no records\n' })
  })
})

describe('audit stats', () => {
  test('counts each call once, by outcome, tool and caller', async () => {
    const ran = await runCommand(dir, 'audit stats', { json: true })
    expect(JSON.parse(ran.out)).toMatchObject({
      calls: 4,
      errors: 2,
      refused: 1,
      outcomes: { answered: 2, refused: 1, timeout: 1, 'tool-error': 1 },
      tools: [
        { name: 'files read', calls: 2, errors: 1, refused: 1 },
        { name: 'files file:///a', calls: 1 },
        { name: 'shell run', calls: 1, errors: 1 },
      ],
      consumers: [
        { name: 'agent-1', calls: 3 },
        { name: 'agent-2', calls: 1 },
        { name: 'bad\u001b[31m\nid\u202e', calls: 0, refused: 1 },
      ],
    })
  })

  test('percentiles are within 3 % of the truth', async () => {
    const own = tempDir()
    let mono = 0
    const gateway = await startGateway({ dir: own, clock: { now: () => 1e12 + mono, mono: () => mono, after: () => () => {} } })
    for (let ms = 1; ms <= 200; ms++) {
      mono = 1000 * ms
      const x = { ...createExchange(), mono }
      await gateway.hooks.onSealed!(x)
      mono += ms
      await gateway.hooks.onResponse!(x, result({}))
    }
    const { latencyMs } = JSON.parse((await runCommand(own, 'audit stats', { json: true })).out) as { latencyMs: Record<string, number> }
    for (const [name, truth] of [
      ['p50', 100],
      ['p95', 190],
      ['p99', 198],
    ] as const)
      expect(Math.abs(latencyMs[name]! / truth - 1)).toBeLessThan(0.03)
  })

  test('the tables name what they count and escape names', async () => {
    const ran = await runCommand(dir, 'audit stats')
    expect(ran.code).toBe(0)
    for (const title of ['ALL', 'OUTCOME', 'TOOL', 'CONSUMER']) expect(ran.out).toMatch(new RegExp(`^${title} `, 'm'))
    for (const char of ['\u001b', '\u202e']) expect(ran.out).not.toContain(char)
  })
})
