// What is recorded of a call, and when: intent before effect, outcome before reply, every refusal, nothing unmasked.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Masking } from 'mcpgw/plugin'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import {
  agent,
  allow,
  call,
  createExchange,
  payload,
  readBodies,
  readRows,
  readSealed,
  refused,
  result,
  runCommand,
  startGateway,
} from './gateway.ts'

const CARD = '4111111111111111'
const masking: Masking = {
  text: text => text.replaceAll(CARD, '[card]'),
  value: one => (one.text.includes(CARD) ? (JSON.parse(one.text.replaceAll(CARD, '[card]')) as never) : undefined),
}

describe('a call', () => {
  test('its intent is stored before the effect and its outcome before the reply', async () => {
    const gateway = await startGateway()
    const x = createExchange()
    let before: string[] = []
    await call(gateway, x, undefined, () => {
      before = readRows(gateway.dir).map(row => row.type)
    })
    expect(before).toEqual(['stream.start', 'gateway.start', 'intent'])
    expect(readRows(gateway.dir).map(row => row.type)).toEqual([...before, 'outcome'])
  })

  test('the trace that it belongs to is on record with all that is said of it, and covered by the chain; without one there is none', async () => {
    const gateway = await startGateway()
    const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7' }
    const [x, begun, none] = [{ trace }, { trace: { traceId: trace.traceId } }, {}].map(createExchange)
    for (const one of [x!, begun!, none!]) await call(gateway, one)
    const of = (one: { readonly id: string } | undefined) => readBodies(gateway.dir).filter(({ callId }) => callId === one?.id)
    expect(of(x)).toMatchObject([
      { type: 'intent', ...trace },
      { type: 'outcome', ...trace },
    ])
    for (const body of of(begun)) expect([body.traceId, body.parentSpanId]).toEqual([trace.traceId, undefined])
    for (const body of of(none)) expect(body).not.toHaveProperty('traceId')
    expect([of(begun).length, of(none).length]).toEqual([2, 2])
    await gateway.hooks.onSettled!(createExchange({ trace }), { kind: 'denied', decision: refused })
    expect(readBodies(gateway.dir).at(-1)).toMatchObject({ type: 'refusal', ...trace })
    await gateway.stop()
    expect(await runCommand(gateway.dir, 'audit verify')).toMatchObject({ code: 4, out: expect.stringContaining('CONSISTENT') as string })
    const shown = await runCommand(gateway.dir, 'audit log', { json: true })
    expect(shown.out).toContain(`"traceId": "${trace.traceId}"`)
    const db = createStores({ dataDir: gateway.dir }).open('audit.db')
    db.exec(`UPDATE record SET body = replace(body, '${trace.traceId}', '${'0'.repeat(31)}1')`)
    db.close()
    expect(await runCommand(gateway.dir, 'audit verify')).toMatchObject({ code: 1 })
  })

  test('how it was decided is on record as the plugin that decided notes it: the bundle, and what led to it', async () => {
    const gateway = await startGateway()
    const basis = { outcome: 'allow', rules: [{ rule: 'read-only', at: 'a.policy:3' }], bundle: 'sha256:b', micros: 7 }
    await call(gateway, createExchange({ decision: { ...allow }, notes: { 'policy.decision': basis } }))
    await call(gateway, createExchange({ decision: { ...allow } }))
    const [, , intent, , plain] = readBodies(gateway.dir)
    expect(intent!.decision).toEqual({
      outcome: 'allow',
      rules: ['policy/read-only'],
      bundle: 'sha256:b',
      policy: { outcome: 'allow', rules: [{ rule: 'read-only', at: 'a.policy:3' }], micros: 7 },
    })
    expect(plain!.decision).toEqual({ outcome: 'allow', rules: ['policy/read-only'] })
  })

  test('the record says who, what, by which rule, with which arguments, how it ended and how long it took', async () => {
    const gateway = await startGateway()
    const x = createExchange({ notes: { 'redact.redactions': { card: 2 } } })
    await call(gateway, x, result({ content: [], isError: true }))
    const [, , intent, outcome] = readBodies(gateway.dir)
    expect(intent).toMatchObject({
      v: 2,
      seq: 4,
      type: 'intent',
      callId: x.id,
      tenant: 'acme',
      actor: { id: 'agent-1', method: 'api-key', keyId: 'k1' },
      client: { name: 'inspector', version: '1' },
      source: { ip: '127.0.0.1' },
      transport: 'http',
      protocolVersion: '2025-11-25',
      action: 'tools/call',
      server: 'files',
      tool: 'read',
      decision: { outcome: 'allow', rules: ['policy/read-only'] },
      args: { path: '/tmp' },
      argsBytes: 15,
      durability: 'os',
    })
    expect(intent?.toolDefHash).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(intent?.argsDigest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
    expect(outcome).toMatchObject({
      type: 'outcome',
      callId: x.id,
      tool: 'read',
      outcome: 'tool-error',
      resultBytes: 29,
      redactions: { card: 2 },
    })
    expect(outcome?.durationMs).toBeGreaterThanOrEqual(outcome?.upstreamMs)
    expect(JSON.stringify(outcome)).not.toContain('content')
  })

  test.each([
    [{ kind: 'error', payload: payload({ code: -32602, message: 'no' }) }, 'upstream-error', '-32602'],
    [{ kind: 'error', payload: payload({ code: 1, message: '' }), code: 'upstream-timeout' }, 'timeout', 'upstream-timeout'],
    [{ kind: 'error', payload: payload({ code: 1, message: '' }), code: 'upstream-crashed' }, 'crashed', 'upstream-crashed'],
    [{ kind: 'error', payload: payload({ code: 1, message: '' }), code: 'cancelled' }, 'cancelled', 'cancelled'],
    [{ kind: 'error', payload: payload({ code: 1, message: '' }), code: 'credential-ended' }, 'cancelled', 'credential-ended'],
    [{ kind: 'error', payload: payload({ code: 1, message: '' }), code: 'withheld' }, 'withheld', 'withheld'],
    [{ kind: 'result', payload: payload({}), isToolError: true }, 'tool-error', undefined],
    [{ kind: 'result', payload: payload({ content: [{ text: '"isError":true' }] }), isToolError: false }, 'answered', undefined],
  ] as const)('the layers of success are kept apart (%#)', async (answer, outcome, errorCode) => {
    const gateway = await startGateway()
    await call(gateway, createExchange(), answer)
    expect(readBodies(gateway.dir).at(-1)).toMatchObject({ type: 'outcome', outcome })
    expect(readBodies(gateway.dir).at(-1)?.errorCode).toBe(errorCode)
  })

  test('a call that is cancelled before any answer has an outcome too', async () => {
    const gateway = await startGateway()
    const x = createExchange()
    await gateway.hooks.onSealed!(x)
    await gateway.hooks.onSettled!(x, { kind: 'cancelled', by: 'shutdown' })
    expect(readBodies(gateway.dir).at(-1)).toMatchObject({ type: 'outcome', callId: x.id, outcome: 'cancelled', errorCode: 'shutdown' })
  })

  test('an answer withheld after it was recorded is recorded as withheld', async () => {
    const gateway = await startGateway()
    const x = createExchange()
    await gateway.hooks.onSealed!(x)
    await gateway.hooks.onResponse!(x, result({}))
    await gateway.hooks.onSettled!(x, { kind: 'failed', cause: 'withheld', code: 'withheld' })
    expect(
      readBodies(gateway.dir)
        .slice(-2)
        .map(body => [body.type, body.outcome]),
    ).toEqual([
      ['outcome', 'answered'],
      ['outcome.withheld', 'withheld'],
    ])
  })

  test('a pass-through gateway says so in every record', async () => {
    const gateway = await startGateway({ open: true })
    await call(gateway, createExchange())
    expect(readBodies(gateway.dir).every(body => body.open === true)).toBe(true)
  })

  test('lists and plumbing leave no record, unless they are refused', async () => {
    const gateway = await startGateway()
    const cases = [
      [{ kind: 'list', of: 'tools' }, 'unauthenticated'],
      [{ kind: 'plumbing' }, 'bad-credential'],
    ] as const
    for (const [resource, code] of cases) {
      await call(gateway, createExchange({ resource }))
      await gateway.hooks.onSettled!(createExchange({ resource, principal: null }), {
        kind: 'denied',
        decision: { ...refused, code },
      })
    }
    const refusals = readBodies(gateway.dir).slice(2)
    expect(refusals.map(body => [body.type, body.actor, body.decision.code])).toEqual([
      ['refusal', null, 'unauthenticated'],
      ['refusal', null, 'bad-credential'],
    ])
  })
})

describe('content', () => {
  test('arguments are stored as they are sent, masked again, without injected secrets', async () => {
    const gateway = await startGateway({ masking, scrub: text => text.replaceAll('s3cret', '[secret]') })
    const args = payload({ card: CARD, token: 's3cret', mail: 'a@b.example' })
    await call(gateway, createExchange({ args, sentArgs: payload({ card: CARD, token: 's3cret', mail: '[mail]' }) }))
    expect(readBodies(gateway.dir)[2]?.args).toEqual({ card: '[card]', token: '[secret]', mail: '[mail]' })
    for (const row of readRows(gateway.dir)) for (const leak of [CARD, 's3cret', 'a@b']) expect(row.body).not.toContain(leak)
  })

  test('a secret that becomes known between two calls of a session is not stored by the second', async () => {
    let secret = 'nothing yet'
    const gateway = await startGateway({ scrub: text => text.replaceAll(secret, '[secret]') })
    const definition = payload({ name: 's3cret-tool' })
    const client = { name: 's3cret-client', version: '1' }
    const again = () => createExchange({ client, resource: { kind: 'call', server: 'files', tool: 's3cret-tool', definition } })
    await call(gateway, again())
    secret = 's3cret'
    await call(gateway, again())
    expect(
      readBodies(gateway.dir)
        .slice(2)
        .map(body => [body.tool, body.client?.name]),
    ).toEqual([
      ['s3cret-tool', 's3cret-client'],
      ['s3cret-tool', undefined],
      ['[secret]-tool', '[secret]-client'],
      ['[secret]-tool', undefined],
    ])
  })

  test('a scrubbed bare number does not break the record', async () => {
    const gateway = await startGateway({ scrub: text => text.replaceAll('12345678', '[secret]') })
    await call(gateway, createExchange({ args: payload({ pin: 12345678 }) }))
    expect(readBodies(gateway.dir)[2]?.args).toBe('{"pin":[secret]}')
  })

  test('numbers keep their text, and line breaks between tokens do not break the line', async () => {
    const gateway = await startGateway()
    await call(gateway, createExchange({ args: payload(undefined, '{\n\t"big": 9007199254740993,\r\n "x": 1.0}') }))
    const body = readSealed(gateway.dir, readRows(gateway.dir)[2]!)
    expect(body).toContain('"big": 9007199254740993')
    expect(body).not.toMatch(/[\n\r\t]/)
  })

  test('long arguments become a digest and a flagged, masked preview', async () => {
    const gateway = await startGateway({ masking, config: { maxRecordBytes: 1024 } })
    const text = `${'x'.repeat(1005)}${CARD}${'y'.repeat(5000)}`
    await call(gateway, createExchange({ args: payload({ text }) }))
    const intent = readBodies(gateway.dir)[2]
    expect(intent).toMatchObject({ argsTruncated: true, argsBytes: text.length + 11 })
    expect(intent?.args).toBeUndefined()
    expect(intent?.argsPreview).toHaveLength(1024)
    expect(intent?.argsPreview).not.toContain('4111')
  })

  test('refused arguments are stored masked, and not at all where nothing can mask them', async () => {
    const args = payload({ card: CARD, note: 'hello' })
    const withMasking = await startGateway({ masking })
    const without = await startGateway()
    for (const gateway of [withMasking, without])
      await gateway.hooks.onSettled!(createExchange({ args }), { kind: 'denied', decision: refused })
    expect(readBodies(withMasking.dir).at(-1)).toMatchObject({
      type: 'refusal',
      args: { card: '[card]', note: 'hello' },
      decision: { code: 'denied', reason: 'not for you' },
    })
    const bare = readBodies(without.dir).at(-1)
    expect(bare).toMatchObject({ type: 'refusal', argsBytes: args.bytes.length })
    expect(bare).not.toHaveProperty('args')
    expect(bare?.argsDigest).toMatch(/^hmac-sha256:/)
  })

  test('uris and unknown names are masked', async () => {
    const gateway = await startGateway({ masking })
    await call(gateway, createExchange({ resource: { kind: 'read', server: 'files', uri: `file:///${CARD}` } }))
    await gateway.hooks.onSettled!(createExchange({ resource: { kind: 'call', server: '', tool: CARD } }), {
      kind: 'denied',
      decision: refused,
    })
    expect(
      readBodies(gateway.dir)
        .slice(2)
        .map(body => body.uri ?? body.tool),
    ).toEqual(['file:///[card]', 'file:///[card]', '[card]'])
  })

  test('equal arguments have equal digests within a store and others elsewhere; the key is private', async () => {
    const one = await startGateway()
    const two = await startGateway()
    const x = createExchange()
    await call(one, x)
    await call(one, createExchange())
    await call(two, createExchange())
    const digests = [one, two]
      .flatMap(gateway => readBodies(gateway.dir).filter(body => body.type === 'intent'))
      .map(body => String(body.argsDigest))
    expect(digests[0]).toBe(digests[1])
    expect(digests[0]).not.toBe(digests[2])
    expect(statSync(join(one.dir, 'audit.db.key')).mode & 0o777).toBe(0o600)
  })
})

describe('administration', () => {
  test('start and stop of the gateway are records', async () => {
    const gateway = await startGateway()
    await gateway.stop()
    expect(readRows(gateway.dir).map(row => row.type)).toEqual(['stream.start', 'gateway.start', 'gateway.stop', 'stream.stop'])
  })

  test('events of other plugins are recorded masked; the log keeps its own types to itself', async () => {
    const gateway = await startGateway({ masking })
    await gateway.recording.event({ type: 'key.create', actor: 'root', detail: { id: 'k1', note: CARD } })
    expect(readBodies(gateway.dir).at(-1)).toMatchObject({
      type: 'key.create',
      actor: { id: 'root' },
      detail: { id: 'k1', note: '[card]' },
    })
    await expect(gateway.recording.event({ type: 'outcome', detail: {} })).rejects.toThrow(/log itself/)
    await expect(gateway.recording.event({ type: 'stream.start', detail: {} })).rejects.toThrow(/log itself/)
  })

  test('a step of the wall clock is recorded', async () => {
    let shift = 0
    const clock = { now: () => Date.now() + shift, mono: () => performance.now(), after: () => () => {} }
    const gateway = await startGateway({ clock })
    shift = -7_200_000
    await call(gateway, createExchange())
    const step = readBodies(gateway.dir)[2]
    expect(step?.type).toBe('clock.step')
    expect(Math.abs(step?.detail.stepMs + 7_200_000)).toBeLessThan(1000)
  })

  test('durability os is shown in health and in each record', async () => {
    const gateway = await startGateway()
    expect(gateway.health?.status).toBe('degraded')
    const full = await startGateway({ config: { durability: 'full' } })
    await call(full, createExchange({ principal: { ...agent, name: 'Agent' }, decision: allow }))
    expect(full.health).toBeUndefined()
    expect(readBodies(full.dir).every(body => body.durability === 'full')).toBe(true)
  })
})

test('the name of an unknown method is text of the caller: masked and bounded like any other', async () => {
  const gateway = await startGateway({ masking })
  const resource = { kind: 'method', server: '', method: `x/${CARD}` } as const
  await call(gateway, createExchange({ resource, action: `x/${CARD}` }))
  await call(gateway, createExchange({ resource, action: 'x'.repeat(100_000) }))
  const bodies = readBodies(gateway.dir)
  expect(bodies.map(body => body.action).filter(action => action !== undefined && !action.startsWith('xxx'))).toEqual([
    'x/[card]',
    'x/[card]',
  ])
  expect(Math.max(...bodies.map(body => JSON.stringify(body).length))).toBeLessThan(3000)
})

describe('a call in rounds', () => {
  test('is told from its end, and what the client said to the server is stored as arguments are', async () => {
    const gateway = await startGateway({ masking })
    const first = createExchange()
    await call(gateway, first, { ...result({ resultType: 'input_required', requestState: 's' }), isInputRequired: true })
    expect(readBodies(gateway.dir).at(-1)).toMatchObject({ type: 'outcome', outcome: 'input-required' })
    const sent = payload({
      name: 'read',
      arguments: { path: '/tmp' },
      inputResponses: { who: { action: 'accept', content: { card: CARD } } },
    })
    const again = createExchange({ sent })
    await call(gateway, again, result({ content: [] }))
    const [intent, outcome] = readBodies(gateway.dir).slice(-2)
    expect(intent).toMatchObject({
      type: 'intent',
      args: { path: '/tmp' },
      inputs: { who: { action: 'accept', content: { card: '[card]' } } },
    })
    expect(outcome).toMatchObject({ type: 'outcome', outcome: 'answered' })
  })
})
