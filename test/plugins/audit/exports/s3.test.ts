// An object store gets every record, in objects that list in the order of a stream; however often it fails, none is missing and none is overwritten.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { objectKey, s3Target } from '../../../../plugins/audit/exports/s3.ts'
import { s3Place } from '../../../../plugins/audit/s3.ts'
import { ACCESS, type Behaviour, BUCKET, REGION, type Store, startStore } from '../../../s3/fake.ts'
import { call, createExchange, type Gateway, type GatewayOptions, readRows, realClock, runCommand, startGateway } from '../gateway.ts'
import { startReceiver } from './receiver.ts'

/** Waits are a hundredth of what they are, but for what a stop waits. */
const clock = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
const to = ({ url }: Pick<Store, 'url'>, more: object = {}) => ({
  s3: `s3://${BUCKET}/logs`,
  region: REGION,
  endpoint: url,
  pathStyle: true,
  every: '1s',
  ...ACCESS,
  ...more,
})
const quick = (store: Pick<Store, 'url'>, more: object = {}, options: GatewayOptions = {}) =>
  startGateway({ clock, config: { exports: [to(store, more)] }, ...options })
const idsOf = (dir: string): string[] =>
  readRows(dir).flatMap(({ stream, seq, type }) => (type === 'audit.checkpoint' ? [] : [`${String(stream)}:${String(seq)}`]))

interface Line {
  readonly id: string
  readonly seq: number
  readonly type: string
}
const linesOf = ({ body }: { readonly body: Buffer }): Line[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
/** Of what lies in the store, as it lists. */
const stored = (store: Store): Line[] => store.objects().flatMap(linesOf)
/** Those of each stream as they come. */
const byStream = (ids: readonly string[]): string[] => {
  const streamOf = (id: string): string => id.slice(0, id.lastIndexOf(':'))
  return [...ids].sort((a, b) => (streamOf(a) === streamOf(b) ? 0 : streamOf(a) < streamOf(b) ? -1 : 1))
}
const withoutCheckpoints = (lines: readonly Line[]): string[] => lines.filter(({ type }) => type !== 'audit.checkpoint').map(({ id }) => id)
/** With what another gateway still brings: one that stops while an attempt fails does not try again. */
async function expectAll(store: Store, { dir }: Gateway, more: object = {}): Promise<void> {
  store.behave('good')
  await (await quick(store, more, { dir })).stop()
  expect(byStream([...new Set(withoutCheckpoints(stored(store)))])).toEqual(byStream(idsOf(dir)))
  expectKeys(store)
}
const KEY = /^logs\/gw\.b\d+\/(\d{16})-(\d{16})-([0-9a-f]{32})\.jsonl$/

/** That the keys say what is in the objects. */
function expectKeys(store: Store): void {
  for (const object of store.objects()) {
    const [, from, upTo, digest] = KEY.exec(object.key) ?? []
    const lines = linesOf(object)
    expect([Number(from), Number(upTo)]).toEqual([lines[0]!.seq, lines.at(-1)!.seq])
    expect(createHash('sha256').update(object.body).digest('hex').slice(0, 32)).toBe(digest)
  }
}

test('nothing of the client is loaded before there is something to put', async () => {
  const { cache } = createRequire(import.meta.url)
  const isLoaded = (): boolean => Object.keys(cache).some(file => file.includes('/@aws-sdk/') || file.includes('/@smithy/'))
  const receiver = await startReceiver()
  const gateway = await startGateway({ clock, config: { exports: [{ webhook: receiver.url }] } })
  await call(gateway, createExchange())
  await gateway.stop()
  expect(receiver.records().length).toBeGreaterThan(3)
  expect(isLoaded()).toBe(false)
  const store = await startStore()
  await (await quick(store)).stop()
  expect(isLoaded()).toBe(true)
})

describe('an object store', () => {
  test('gets every record once, in the order of each stream, from the first to the last one of the stop', async () => {
    const store = await startStore()
    const gateway = await quick(store)
    for (let n = 0; n < 30; n++) await call(gateway, createExchange())
    await gateway.stop()
    const again = await quick(store, {}, { dir: gateway.dir })
    await call(again, createExchange())
    await again.stop()
    expect(byStream(withoutCheckpoints(stored(store)))).toEqual(byStream(idsOf(gateway.dir)))
    expectKeys(store)
    expect(store.objects().every(({ contentType }) => contentType === 'application/x-ndjson')).toBe(true)
    expect(store.forgeries).toEqual([])
  })

  test('gathers records for as long as it is told, and locks them', async () => {
    const store = await startStore()
    const gateway = await quick(store, { every: '1h', objectLock: { mode: 'governance', days: 30 } })
    await expect.poll(() => store.objects().length).toBeGreaterThan(0)
    const begun = store.objects().length
    for (let n = 0; n < 30; n++) await call(gateway, createExchange())
    await gateway.stop()
    expect(store.objects().length - begun).toBeLessThanOrEqual(2)
    expect(withoutCheckpoints(stored(store))).toEqual(idsOf(gateway.dir))
    expect(store.objects().every(({ lock }) => lock?.mode === 'GOVERNANCE')).toBe(true)
    expect(store.objects().map(({ key }) => store.remove(key))).toEqual(store.objects().map(() => 'AccessDenied'))
  })

  test.each<Behaviour>([
    ...(['error', 'slow-down', 'conflict', 'forbidden', 'redirect', 'moved', 'nonsense', 'bad-xml', 'html', 'flood', 'cut'] as const),
    ...(['silent', 'stored-late', 'stored-cut', 'stored-error'] as const),
  ])('that answers with %s gets all of it in the end; health says so meanwhile, and no call waits', async behaviour => {
    const store = await startStore()
    store.behave(behaviour)
    const gateway = await quick(store, { name: 'lake', timeout: 100 })
    await expect.poll(() => gateway.health?.why).toMatch(/; export lake: \S/)
    for (let n = 0; n < 5; n++) expect(await call(gateway, createExchange())).toBe('ok')
    store.behave('good')
    await expect.poll(() => gateway.health?.why, { timeout: 10_000 }).not.toContain('export')
    await gateway.stop()
    await expectAll(store, gateway, { name: 'lake' })
  })

  test('that fails now and then, in any way, has every record at the end', async () => {
    const store = await startStore()
    const faults: Behaviour[] = [
      'error',
      'stored-cut',
      'good',
      'stored-error',
      'conflict',
      'cut',
      'good',
      'stored-late',
      'html',
      'truncated',
    ]
    let at = 0
    store.behave(() => faults[at++ % faults.length]!)
    const gateway = await quick(store, { timeout: 100 })
    for (let n = 0; n < 60; n++) {
      await call(gateway, createExchange())
      if (n % 10 === 0) {
        const seen = store.asked.length
        await expect.poll(() => store.asked.length, { timeout: 10_000 }).toBeGreaterThan(seen)
      }
    }
    await gateway.stop()
    await expectAll(store, gateway)
    expect(gateway.logged.join()).not.toMatch(/AKID|wJalr|secret words/)
  })

  test('that has what a stopped gateway could not note gets the rest in another object: nothing is missing, nothing overwritten', async () => {
    const store = await startStore()
    // Each object is stored, and no answer comes: the cursor never moves.
    store.behave('stored-cut')
    const first = await quick(store)
    for (let n = 0; n < 3; n++) await call(first, createExchange())
    await expect.poll(() => store.objects().length).toBeGreaterThan(0)
    store.behave('silent')
    await first.stop()
    const left = store.objects()
    await expectAll(store, first)
    for (const { key, body } of left) expect(store.objects().find(one => one.key === key)?.body).toEqual(body)
  })

  test('in which somebody has put something else under a key is told of, and nothing is left out in silence', async () => {
    const store = await startStore()
    const batch = { stream: 'gw.b', from: 1, to: 1, events: [], lines: ['{"id":"gw.b:1"}'] }
    const body = '{"id":"gw.b:1"}\n'
    store.plant(`logs/${objectKey(batch, Buffer.from(body), 'application/x-ndjson')}`, 'something else')
    const settings = { bucket: BUCKET, prefix: 'logs/', region: REGION, endpoint: store.url, pathStyle: true, credentials: ACCESS }
    const target = s3Target(s3Place({ ...settings, objectLock: undefined, timeout: 5000 }, clock), 'application/x-ndjson')
    await expect(target.deliver(batch, new AbortController().signal)).rejects.toThrow('another object has the key logs/gw.b/')
    expect(store.objects().map(one => String(one.body))).toEqual(['something else'])
  })
})

describe('a key', () => {
  const JSON_LINES = 'application/x-ndjson'

  test('says stream, first and last record, and digest', () => {
    expect(objectKey({ stream: 'gw-1.0f', from: 7, to: 42 }, Buffer.from('x\n'), JSON_LINES)).toBe(
      'gw-1.0f/0000000000000007-0000000000000042-73cb3858a687a8494ca3323053016282.jsonl',
    )
    expect(objectKey({ stream: '..', from: 7, to: 42 }, Buffer.from('x\n'), 'text/plain')).toMatch(/^_\/.*\.txt$/)
  })

  test('sorts as the records do, and is never that of another content', () => {
    const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 250 }), seq, seq, fc.uint8Array(), fc.uint8Array(), (stream, a, b, one, other) => {
        const [x, y] = [objectKey({ stream, from: a, to: a }, one, JSON_LINES), objectKey({ stream, from: b, to: b }, other, JSON_LINES)]
        if (a !== b) expect(x < y).toBe(a < b)
        if (a === b) expect(x === y).toBe(Buffer.compare(one, other) === 0)
        expect(x).toMatch(/^[A-Za-z0-9_.-]{1,200}\/[0-9a-f.jsonl-]+$/)
        expect(x).not.toMatch(/^\.*\//)
      }),
    )
  })
})

test('audit exports says to which bucket and prefix, and nothing of the credentials', async () => {
  const store = await startStore()
  const gateway = await quick(store)
  await call(gateway, createExchange())
  await gateway.stop()
  const shown = await runCommand(gateway.dir, 'audit exports', { json: true }, { config: { exports: [to(store)] } })
  expect(JSON.parse(shown.out)).toMatchObject({ exports: [{ name: 's3', to: 's3://acme-audit/logs/', behind: 0, failing: null }] })
  expect(shown.out + shown.err).not.toMatch(/AKID|wJalr/)
})
