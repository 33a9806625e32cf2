// Detectors that another plugin adds: which texts they are asked for, what becomes of their findings, and that nothing passes without their answer.
import { type DetectedSpan, Detectors, definePlugin, pass, type TextDetector } from 'mcpgw/plugin'
import { createFakeClock, createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import redact from '../../../plugins/redact/index.ts'

const worlds: Harness[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

type Detect = TextDetector['detect']
interface Asked {
  readonly world: Harness
  readonly texts: string[]
}

/** Finds every `Ann Smith`, wherever it stands. */
const findNames: Detect = async texts => texts.map(text => [...text.matchAll(/Ann Smith/g)].map(({ index }) => nameAt(index)))
const nameAt = (start: number, score = 0.9): DetectedSpan => ({ start, end: start + 9, type: 'PERSON', score })

async function open(how: Partial<TextDetector> = {}, config: object = {}, more: object = {}): Promise<Asked> {
  const texts: string[] = []
  const detector: TextDetector = {
    name: 'names',
    ...how,
    detect(asked, signal) {
      texts.push(...asked)
      return (how.detect ?? findNames)(asked, signal)
    },
  }
  const names = definePlugin({
    name: 'names',
    apiVersion: 1,
    config: z.strictObject({}),
    capabilities: [],
    requires: [Detectors],
    setup(ctx) {
      ctx.use(Detectors).add(detector)
      return { onRequest: () => pass }
    },
  })
  const world = await harness({ plugins: [{ plugin: redact, config }, names], ...more })
  worlds.push(world)
  return { world, texts }
}

const sent = (world: Harness): unknown => (world.upstream.received.at(-1)!.params.value as { arguments: unknown }).arguments

test('every text is shown to it once: leaves of documents and what is decoded, not keys, numbers or names of the protocol', async () => {
  const { world, texts } = await open()
  const inner = Buffer.from('it was Ann Smith again').toString('base64')
  await world.call('s', 'put', {
    a: 'Ann Smith',
    b: JSON.stringify({ who: ['Ann Smith called'], n: 1 }),
    c: 'Ann Smith',
    member: 2,
    d: inner,
  })
  expect(sent(world)).toEqual({
    a: '[PERSON]',
    b: '{"who":["[PERSON] called"],"n":1}',
    c: '[PERSON]',
    member: 2,
    d: Buffer.from('it was [PERSON] again').toString('base64'),
  })
  expect(texts.filter(text => text === 'Ann Smith')).toHaveLength(1)
  expect(texts).toContain('Ann Smith called')
  expect(texts).toContain('it was Ann Smith again')
  for (const other of ['put', 'who', 'member', '2', '{"who":["Ann Smith called"],"n":1}']) expect(texts).not.toContain(other)
})

test('its findings join those of the detectors, and are counted by their type', async () => {
  const { world } = await open()
  world.upstream.on('s/get', async (_request, reply) => {
    await reply.notify('notifications/progress', { progressToken: 1, progress: 1, message: 'asking Ann Smith' })
    return { content: [{ type: 'text', text: 'Ann Smith <ann@example.com>' }], structuredContent: { who: 'Ann Smith', n: 1 } }
  })
  const { value, notifications, exchange } = await world.call('s', 'get')
  expect(value).toEqual({ content: [{ type: 'text', text: '[PERSON] <[EMAIL]>' }], structuredContent: { who: '[PERSON]', n: 1 } })
  expect(notifications[0]!.params.value).toMatchObject({ message: 'asking [PERSON]' })
  expect(exchange.notes.get('redact.redactions')).toEqual({ person: 3, email: 1 })
})

test('its action counts as that of any detector', async () => {
  const stores = createTemporaryStores()
  const token = await open({ action: 'token' }, {}, { stores })
  await token.world.call('s', 'put', { a: 'Ann Smith and Ann Smith' })
  expect((sent(token.world) as { a: string }).a).toMatch(/^(\[PERSON [0-9a-f]{12}\]) and \1$/)
  const block = await open({ action: 'block' })
  expect((await block.world.call('s', 'put', { a: 'Ann Smith' })).refusal?.code).toBe('redaction-blocked')
  const drop = await open({ action: 'drop' })
  await drop.world.call('s', 'put', { a: 'it was Ann Smith' })
  expect(sent(drop.world)).toEqual({ a: '' })
})

test('a low score is left, and no half of a character is', async () => {
  const low = await open({ minScore: 0.5, detect: async texts => texts.map(() => [nameAt(0, 0.4)]) })
  await low.world.call('s', 'put', { a: 'Ann Smith' })
  expect(sent(low.world)).toEqual({ a: 'Ann Smith' })
  const half = await open({ detect: async texts => texts.map(() => [{ start: 1, end: 3, type: 'X', score: 1 }]) })
  await half.world.call('s', 'put', { a: '\u{1f600}\u{1f600}ok' })
  expect(sent(half.world)).toEqual({ a: '[X]ok' })
})

test('rules and exemptions say who is looked at by a model', async () => {
  const { world, texts } = await open({}, { models: false, rules: [{ servers: ['crm'], models: true }], exempt: { tools: ['crm__raw'] } })
  await world.call('wiki', 'put', { a: 'Ann Smith' })
  await world.call('crm', 'raw', { a: 'Ann Smith' })
  expect(texts).toEqual([])
  await world.call('crm', 'put', { a: 'Ann Smith' })
  expect(sent(world)).toEqual({ a: '[PERSON]' })
})

test('a large message is shown in parts, and masked in a thread', async () => {
  const batches: number[] = []
  const { world } = await open({
    detect: async (texts, signal) => {
      batches.push(texts.length)
      return findNames(texts, signal)
    },
  })
  const rows = Array.from({ length: 3000 }, (_, i) => `row ${i} of Ann Smith ann@example.com`)
  await world.call('s', 'put', { rows })
  expect(sent(world)).toEqual({ rows: rows.map((_, i) => `row ${i} of [PERSON] [EMAIL]`) })
  expect(batches.length).toBeGreaterThan(2)
})

const failures: Record<string, Detect> = {
  'a throw': () => {
    throw new Error('model is down')
  },
  'a rejection': async () => Promise.reject(new Error('model is down')),
  'no list': async () => ({}) as never,
  'too few lists': async () => [],
  'a list of something else': async texts => texts.map(() => 'x') as never,
  'null among the spans': async texts => texts.map(() => [null]) as never,
  'a span beyond the end': async texts => texts.map(text => [{ start: 0, end: text.length + 1, type: 'X', score: 1 }]),
  'an empty span': async texts => texts.map(() => [{ start: 1, end: 1, type: 'X', score: 1 }]),
  'a negative start': async texts => texts.map(() => [{ start: -1, end: 1, type: 'X', score: 1 }]),
  fractions: async texts => texts.map(() => [{ start: 0.5, end: 1, type: 'X', score: 1 }]),
  'no type': async texts => texts.map(() => [{ start: 0, end: 1, score: 1 }]) as never,
  'a score that is none': async texts => texts.map(() => [{ start: 0, end: 1, type: 'X', score: Number.NaN }]),
}

for (const [name, detect] of Object.entries(failures)) {
  test(`fails closed: ${name}`, async () => {
    const { world } = await open({ detect })
    expect((await world.call('s', 'put', { a: 'Ann Smith' })).refusal).toMatchObject({
      code: 'plugin-failed',
      reason: 'it could not be searched for personal data',
    })
    expect(world.upstream.received).toEqual([])
  })
}

test('fails closed: no answer within its deadline, at the request, the answer and a notification; the signal tells it to stop', async () => {
  const clock = createFakeClock()
  let silent = false
  const signals: AbortSignal[] = []
  const { world } = await open(
    {
      deadline: 700,
      detect: (texts, signal) => {
        signals.push(signal)
        return silent ? new Promise(() => {}) : findNames(texts, signal)
      },
    },
    {},
    { clock },
  )
  world.upstream.on('s/get', async (_request, reply) => {
    silent = true
    const told = reply.notify('notifications/message', { level: 'info', data: 'of Ann Smith' })
    await clock.advance(700)
    await told
    setImmediate(() => void clock.advance(700))
    return { content: [{ type: 'text', text: 'Ann Smith' }] }
  })
  const { answer, notifications } = await world.call('s', 'get', { a: 'text' })
  expect(answer).toMatchObject({ kind: 'error', code: 'withheld' })
  expect(notifications).toEqual([])
  const late = world.call('s', 'put', { a: 'Ann Smith' })
  await clock.advance(700)
  expect((await late).refusal?.code).toBe('plugin-failed')
  expect(signals.at(-1)!.aborted).toBe(true)
})

test('what it says of itself is for the log, not for the caller', async () => {
  const { world } = await open({ detect: () => Promise.reject(new Error('10.0.0.7 refused: Ann Smith')) })
  const { refusal, exchange } = await world.call('s', 'put', { a: 'Ann Smith' })
  expect(JSON.stringify(refusal)).not.toContain('10.0.0.7')
  expect(exchange.notes.get('redact.detail')).toBe('names: 10.0.0.7 refused: Ann Smith')
})
