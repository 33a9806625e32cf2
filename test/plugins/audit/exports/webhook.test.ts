// A webhook gets every record, in order, signed, and again until it says that it has it; the calls do not notice.
import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../../../core/store/index.ts'
import { createDatabase, run, server } from '../../../postgres/server.ts'
import { call, createExchange, type GatewayOptions, payload, readRows, realClock, result, startGateway, tempDir } from '../gateway.ts'
import { type Behaviour, startReceiver, WITHIN } from './receiver.ts'

const SECRET = 'whsec_0123456789abcdef'
/** Waits are a hundredth of what they are, but for what a stop waits. */
const clock = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
const quick = (config: Record<string, unknown>, more: GatewayOptions = {}) => startGateway({ clock, config, ...more })
const idsOf = (dir: string): string[] =>
  readRows(dir).flatMap(({ stream, seq, type }) => (type === 'audit.checkpoint' ? [] : [`${String(stream)}:${String(seq)}`]))
const withoutCheckpoints = (records: readonly { id: string; type: string }[]): string[] =>
  records.filter(({ type }) => type !== 'audit.checkpoint').map(({ id }) => id)

const IDS = `SELECT stream || ':' || seq AS id FROM mcpgw_audit.record JOIN mcpgw_audit.stream ON stream.name = stream
  WHERE type <> 'audit.checkpoint' ORDER BY opened, seq`

describe('a webhook', () => {
  test.each(['sqlite', 'postgres'])(
    'gets every record once, in the order of each stream, from the first to the last one of the stop: a log in %s',
    async kind => {
      if (kind === 'postgres' && server === undefined) return
      const url = kind === 'postgres' ? await createDatabase() : undefined
      const idsIn = async (dir: string): Promise<string[]> =>
        url === undefined ? idsOf(dir) : (await run(IDS, url)).map(({ id }) => String(id))
      const receiver = await startReceiver()
      const gateway = await quick({ exports: [{ webhook: receiver.url }] }, { url })
      for (let n = 0; n < 30; n++) await call(gateway, createExchange())
      await gateway.stop()
      expect(withoutCheckpoints(receiver.records())).toEqual(await idsIn(gateway.dir))
      expect(receiver.records().at(-1)?.type).toBe('stream.stop')
      const again = await quick({ exports: [{ webhook: receiver.url }] }, { dir: gateway.dir, url })
      await again.stop()
      expect(withoutCheckpoints(receiver.records())).toEqual(await idsIn(gateway.dir))
    },
  )

  test('proves by its signature who sends it, when, and that nothing was changed; the key of a repetition is the same', async () => {
    const receiver = await startReceiver()
    const answers: Behaviour[] = ['error', 'good']
    receiver.behave(() => answers.shift() ?? 'good')
    const gateway = await quick({ exports: [{ webhook: `${receiver.url}?token=hidden`, secret: SECRET, headers: { 'x-api-key': 'k' } }] })
    await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(1)
    await gateway.stop()
    const [first, second] = receiver.got
    for (const { headers, body } of receiver.got) {
      const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['mcpgw-signature'])) ?? []
      expect(createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex')).toBe(signature)
      expect(Math.abs(Date.now() / 1000 - Number(at))).toBeLessThan(600)
      expect(headers['x-api-key']).toBe('k')
      expect(headers['content-type']).toBe('application/x-ndjson')
    }
    expect(second!.headers['idempotency-key']).toBe(first!.headers['idempotency-key'])
    expect(second!.body).toBe(first!.body)
    expect(first!.headers['idempotency-key']).toMatch(/^gw\.b\d+:1-\d+$/)
    expect(gateway.logged.join()).not.toContain('hidden')
  })

  test.each<Behaviour>(['late', 'error', 'bad-request', 'nonsense', 'cut', 'redirect'])(
    'that answers with %s is told the same until it works, and health says so meanwhile; no call waits',
    async behaviour => {
      const receiver = await startReceiver()
      receiver.behave(behaviour)
      const gateway = await quick({ exports: [{ name: 'siem', webhook: receiver.url, timeout: 100 }] })
      await gateway.healthIs('degraded')
      await expect.poll(() => gateway.health?.why, WITHIN).toMatch(/^durability.*; export siem: \S/)
      for (let n = 0; n < 5; n++) expect(await call(gateway, createExchange())).toBe('ok')
      await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(3)
      expect(new Set(receiver.got.map(one => one.body)).size).toBe(1)
      expect(receiver.got.every(one => one.body === receiver.got[0]!.body)).toBe(true)
      receiver.behave('good')
      await expect.poll(() => gateway.health?.why, WITHIN).not.toContain('export')
      await gateway.stop()
      const ids = withoutCheckpoints(receiver.records())
      expect([...new Set(ids)]).toEqual(idsOf(gateway.dir))
    },
  )

  test('that was away while somebody was forgotten is not told the name when it is back', async () => {
    const receiver = await startReceiver()
    receiver.behave('error')
    const gateway = await quick({ exports: [{ webhook: receiver.url, records: ['outcome'] }] })
    await call(gateway, createExchange())
    await expect.poll(() => receiver.got.at(-1)?.body ?? '', WITHIN).toContain('agent-1')
    const db = createStores({ dataDir: gateway.dir }).open('audit.db')
    db.exec('DELETE FROM subject')
    db.close()
    const seen = receiver.got.length
    await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(seen + 1)
    expect(
      receiver.got
        .slice(seen + 1)
        .map(({ body }) => body)
        .join(),
    ).not.toContain('agent-1')
    await expect.poll(() => receiver.got.at(-1)?.body ?? '', WITHIN).not.toContain('agent-1')
    receiver.behave('good')
    await gateway.stop()
    expect(receiver.got.at(-1)!.body).toContain('outcome')
    expect(receiver.got.at(-1)!.body).not.toContain('agent-1')
  })

  test('that says nothing holds up neither a call nor, for long, a stop; the next start goes on where it was', async () => {
    const receiver = await startReceiver()
    receiver.behave('silent')
    const gateway = await quick({ exports: [{ webhook: receiver.url }] })
    expect(await call(gateway, createExchange())).toBe('ok')
    await gateway.stop()
    receiver.behave('good')
    const next = await quick({ exports: [{ webhook: receiver.url }] }, { dir: gateway.dir })
    await next.stop()
    expect([...new Set(withoutCheckpoints(receiver.records()))]).toEqual(idsOf(gateway.dir))
  })

  test('gets the chosen types only; the cursor passes the others', async () => {
    const receiver = await startReceiver()
    const gateway = await quick({ exports: [{ webhook: receiver.url, records: ['outcome'] }] })
    await call(gateway, createExchange())
    await gateway.stop()
    expect(receiver.records().map(one => one.type)).toEqual(['outcome'])
    const next = await quick({ exports: [{ webhook: receiver.url, records: ['outcome'] }] }, { dir: gateway.dir })
    await next.stop()
    expect(receiver.records()).toHaveLength(1)
  })

  test('exporting makes a record at most once an hour, and none of what only it led to', async () => {
    const receiver = await startReceiver()
    const gateway = await quick({ exports: [{ webhook: receiver.url }] })
    for (let n = 0; n < 5; n++) {
      await call(gateway, createExchange())
      const seen = receiver.got.length
      await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(seen)
    }
    await gateway.stop()
    const told = readRows(gateway.dir).filter(({ type }) => type === 'export.cursor')
    expect(told).toHaveLength(1)
    expect(JSON.parse(told[0]!.body).detail).toMatchObject({ export: 'webhook', cursor: expect.any(String), records: expect.any(Number) })
  })
})

describe('what leaves by an export', () => {
  const secretArgs = { path: '/secret-path' }
  async function exported(settings: Record<string, unknown>): Promise<string> {
    const receiver = await startReceiver()
    const gateway = await quick({ content: 'full', exports: [{ webhook: receiver.url, ...settings }] })
    await call(gateway, createExchange({ args: payload(secretArgs) }), result({ content: [{ type: 'text', text: 'secret-result' }] }))
    await gateway.stop()
    return receiver.got.map(one => one.body).join('')
  }

  test('names who called, without arguments and results', async () => {
    const text = await exported({})
    expect(text).toContain('"actor":{"id":"agent-1"')
    expect(text).toContain('"source":{"ip":"127.0.0.1"}')
    expect(text).not.toMatch(/secret-path|secret-result|"personal"/)
  })

  test('has arguments and results with contents: true', async () => {
    expect(await exported({ contents: true })).toMatch(/secret-path[\s\S]*secret-result/)
  })

  test('has pseudonyms with names: false, also beside contents', async () => {
    for (const contents of [false, true]) {
      const text = await exported({ names: false, contents })
      expect(text).not.toMatch(/agent-1|127\.0\.0\.1|"personal"/)
      expect(text).toMatch(/"subject":"[0-9a-f]{24}"/)
      expect(text.includes('secret-path')).toBe(contents)
    }
  })

  test('is what is stored, byte for byte, in the form of evidence', async () => {
    const text = await exported({ form: 'evidence' })
    expect(text).not.toMatch(/agent-1|secret/)
    for (const line of text.trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ body: expect.any(String), hash: expect.any(String) })
  })
})

describe('a cursor', () => {
  test.each(['', '{"v":1,"cursor":"7"}'])('that says %j stops the export and is told; calls go on', async text => {
    const receiver = await startReceiver()
    const dir = tempDir()
    writeFileSync(join(dir, 'audit.db.export-webhook'), text)
    const gateway = await quick({ exports: [{ webhook: receiver.url }] }, { dir })
    await expect.poll(() => gateway.health?.why, WITHIN).toContain('does not say how far it has come')
    expect(await call(gateway, createExchange())).toBe('ok')
    expect(receiver.got).toEqual([])
    await gateway.stop()
  })

  test('of another log stops the export: nothing of this one is left out in silence', async () => {
    const receiver = await startReceiver()
    const exports = [{ webhook: receiver.url }]
    const first = await quick({ exports })
    await call(first, createExchange())
    await first.stop()
    const dir = tempDir()
    writeFileSync(join(dir, 'audit.db.export-webhook'), readFileSync(join(first.dir, 'audit.db.export-webhook')))
    const second = await quick({ exports }, { dir })
    await expect.poll(() => second.health?.why, WITHIN).toContain('is not in this log')
    await second.stop()
  })

  test('has one gateway of several that share a log; when it ends, another one goes on', async () => {
    const receiver = await startReceiver()
    const exports = [{ webhook: receiver.url }]
    const first = await quick({ exports })
    await expect.poll(() => receiver.got.length, WITHIN).toBeGreaterThan(0)
    const second = await quick({ exports }, { dir: first.dir })
    await call(second, createExchange())
    await call(first, createExchange())
    await first.stop()
    await call(second, createExchange())
    await second.stop()
    const ids = withoutCheckpoints(receiver.records())
    expect(ids).toHaveLength(new Set(ids).size)
    expect([...ids].sort()).toEqual(idsOf(first.dir).sort())
  })
})
