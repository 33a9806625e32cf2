// Telemetry of the built product: one trace from the client through the gateway to a collector, masked; and a collector that is not there.
import { describe, expect, test } from 'vitest'
import { startCollector } from './collector.ts'
import { createFolder, isBuilt, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { openSession } from './rpc.ts'
import { everything } from './servers.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const servers = [{ id: 'everything', ...everything() }]
const CARD = '4111 1111 1111 1111'

describe.skipIf(!isBuilt)('telemetry', () => {
  test('a call is one trace of its client; arguments and results are in it masked, credentials are not', async () => {
    const collector = await startCollector()
    const dir = createFolder()
    const telemetry = { otlp: collector.url, headers: { Authorization: 'Bearer opensesame-1234' }, content: true, metrics: '1s' }
    const product = await startProduct({ dir, config: { servers, plugins: ['audit', 'redact'], telemetry } })
    const session = await openSession(product.origin)
    const _meta = { traceparent: `00-${TRACE}-${PARENT}-01` }
    await session.ask('tools/call', { name: 'everything__echo', arguments: { message: `pay with ${CARD}` }, _meta })
    await collector.heard('/v1/metrics')
    await product.stop()

    const own = collector.spans().filter(({ traceId }) => traceId === TRACE)
    const [server] = own.filter(({ kind }) => kind === 2)
    const [client] = own.filter(({ kind }) => kind === 3)
    expect(server).toMatchObject({ name: 'tools/call echo', parentSpanId: PARENT })
    expect(client).toMatchObject({ name: 'tools/call echo', parentSpanId: server!.spanId })
    const hooks = own.filter(({ kind }) => kind === 1)
    expect(hooks.map(({ name }) => name)).toEqual(expect.arrayContaining(['redact onRequest', 'audit onSealed', 'audit onSettled']))
    expect(new Set(hooks.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([server!.spanId]))
    const records = readRecords(dir).filter(({ action }) => action === 'tools/call')
    expect(records.map(({ type }) => type)).toEqual(['intent', 'outcome'])
    for (const record of records) expect(record).toMatchObject({ traceId: TRACE, parentSpanId: PARENT })
    const values = Object.fromEntries(server!.attributes.map(({ key, value }) => [key, value.stringValue]))
    expect(values['gen_ai.tool.call.arguments']).toMatch(/pay with (?!4111)/)
    expect(values['gen_ai.tool.call.result']).toContain('pay with')
    const all = collector.got.map(({ text }) => text).join('\n')
    expect(all).not.toMatch(/4111|opensesame/)
    expect(collector.got[0]!.headers.authorization).toBe('Bearer opensesame-1234')
    expect(all).toContain('mcp.server.operation.duration')
    expect(`${product.said()}${runCli(['config', 'show'], dir).out}`).not.toContain('opensesame')
  }, 40_000)

  test('a collector that is not there holds up no call, and health and metrics say so', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config: { servers, plugins: [], telemetry: { otlp: 'http://127.0.0.1:9' } } })
    const session = await openSession(product.origin)
    expect((await session.call('everything__echo', { message: 'hi' })).result.content[0].text).toContain('hi')
    const isTold = ({ name, status }: { name: string; status: string }) => name === 'telemetry' && status !== 'ok'
    const { components } = await untilHealth(product.origin, ({ components: all }) => all.some(isTold))
    expect(components.find(isTold)).toMatchObject({ status: 'degraded', why: expect.stringContaining('http://127.0.0.1:9') })
    expect((await session.call('everything__echo', { message: 'still' })).result.content[0].text).toContain('still')
    const metrics = await (await fetch(`${product.origin}/metrics`)).text()
    expect(metrics).toContain('mcpgw_telemetry_spans_total{fate="exported"} 0')
    expect(metrics).toContain('mcpgw_telemetry_spans_total{fate="dropped"} 0')
    expect((await product.stop()).code).toBe(0)
  }, 40_000)

  test('content that nothing masks is refused at the start, with its place', () => {
    const dir = createFolder({ 'mcpgw.yaml': 'servers: []\nplugins: [audit]\ntelemetry: {otlp: "http://127.0.0.1:9", content: true}\n' })
    const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
    expect(code).toBe(2)
    expect(err).toContain('error[telemetry-unmasked]')
    expect(err).toContain('mcpgw.yaml:3:')
    expect(runCli(['explain', 'telemetry-unmasked'], dir)).toMatchObject({ code: 0, out: expect.stringContaining('masks') })
  })

  test('plain http to another machine is refused, but where somebody says that the way is safe', () => {
    const dir = createFolder({ 'mcpgw.yaml': 'servers: []\ntelemetry: {otlp: "http://collector.example:4318"}\n' })
    const refused = runCli(['config', 'show'], dir)
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('expected https')])
    const other = createFolder({ 'mcpgw.yaml': 'servers: []\ntelemetry: {otlp: "http://collector.example:4318", insecure: true}\n' })
    expect(runCli(['config', 'show'], other).code).toBe(0)
  })
})
