// SIGTERM under load: what is under way is answered, nothing new is taken, the exit is clean and on record.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, readHealth, startProduct } from '../e2e/product.ts'
import { readRecords, verify } from '../e2e/records.ts'
import { speakLines } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { startLoad } from './load.ts'
import { textOf, untilGone } from './processes.ts'

const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', 'redact'] }

describe.skipIf(!isBuilt)('SIGTERM under load', () => {
  test('answers what is under way, exits 0, and the record says so', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config })
    const load = await startLoad(product.origin, { tool: 'odd__slow', prefix: 'slow', perSecond: 200, args: { ms: 200 } })
    await load.answers(50)
    const { pids = [] } = (await readHealth(product.origin)).servers[0] ?? {}
    const before = load.sent()
    product.signal('SIGTERM')
    await product.hears('stopping')
    await load.end()
    expect(await product.exited).toEqual({ code: 0, signal: null })
    await untilGone(pids)

    const records = readRecords(dir)
    const names = (type: string): string[] => records.filter(record => record.type === type).map(record => String(record.callId))
    expect(names('outcome').sort()).toEqual(names('intent').sort())
    const answered = records.filter(record => record.type === 'outcome' && record.outcome === 'answered')
    expect(answered.length).toBe(load.answered.size)
    expect(load.answered.size).toBeGreaterThan(before / 2)
    // Whatever was not answered came too late to be let in; none was let in and then lost.
    expect(records.filter(record => record.type === 'outcome' && record.outcome !== 'answered')).toEqual([])
    expect(records.slice(-2).map(record => record.type)).toEqual(['gateway.stop', 'stream.stop'])
    expect(verify(dir).code).toBe(4)
  })

  test('the start after a clean stop has nothing to put in order', async () => {
    const dir = createFolder()
    expect(await (await startProduct({ dir, config })).stop()).toEqual({ code: 0, signal: null })
    const second = await startProduct({ dir, config })
    expect(second.said()).not.toContain('have no outcome')
    await second.stop()
    const starts = readRecords(dir).filter(record => record.type === 'stream.start')
    expect(starts.map(record => record.detail?.closedCalls)).toEqual([0, 0])
    // The second refers to the end of the first, and so vouches for it.
    expect(starts.map(record => record.detail?.closes)).toEqual([[], [expect.objectContaining({ stream: starts[0]?.stream })]])
  })

  test('a server that never answers does not keep the gateway from ending', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config })
    const load = await startLoad(product.origin, { tool: 'odd__hang', prefix: 'hang', perSecond: 50 })
    while (load.sent() < 5) await new Promise(resolve => setTimeout(resolve, 10))
    product.signal('SIGTERM')
    await load.end()
    expect(await product.exited).toEqual({ code: 0, signal: null })
    const records = readRecords(dir)
    const intents = records.filter(record => record.type === 'intent').length
    expect(intents).toBeGreaterThan(0)
    expect(records.filter(record => record.type === 'outcome')).toHaveLength(intents)
    // Whoever waits is told before the connection ends.
    expect(load.failed.get('upstream-unavailable')).toBe(intents)
    expect(verify(dir).code).toBe(4)
  }, 40_000)

  test.each([
    ['SIGTERM', (product: Product) => product.signal('SIGTERM')],
    ['the end of its input', (product: Product) => void product.child.stdin?.end()],
  ])('over stdio, %s lets what is under way be answered', async (_, end) => {
    const dir = createFolder()
    const product = await startProduct({ dir, config, args: ['--stdio'] })
    const lines = await speakLines(product)
    const answers = [1, 2, 3].map(n => lines.ask('tools/call', { name: 'odd__slow', arguments: { n, ms: 300 } }))
    await lines.ask('ping')
    end(product)
    expect((await Promise.all(answers)).map(answer => (textOf(answer) as { n: number }).n)).toEqual([1, 2, 3])
    expect(await product.exited).toEqual({ code: 0, signal: null })
    expect(readRecords(dir).at(-1)?.type).toBe('stream.stop')
  })
})
