// T66: results of 10 MB, eight at once, through the built product with what searches and records them: they come whole, memory is bounded, and others are answered meanwhile.
// MCPGW_CHAOS=full has the full size; without it they are of 2 MB.
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { createFolder, isBuilt, startProduct } from '../e2e/product.ts'
import { openSession } from '../e2e/rpc.ts'

const isFull = process.env.MCPGW_CHAOS === 'full'
const BYTES = (isFull ? 10 : 2) * 1_000_000
const AT_ONCE = 8

/** The most that the process has had, in bytes. */
const mostOf = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

describe.skipIf(!isBuilt || process.platform !== 'linux')('results of many bytes', () => {
  test('eight at once come whole, and hold up nobody', { timeout: 240_000 }, async () => {
    const text = 'lorem ipsum dolor sit amet '.repeat(BYTES / 27)
    const large = JSON.stringify({ content: [{ type: 'text', text }] })
    const upstream = await startHttpUpstream({
      tools: ['large', 'small'].map(name => JSON.stringify({ name, inputSchema: { type: 'object' } })),
      on: {
        'tools/call': call =>
          call.result((call.message as { params: { name: string } }).params.name === 'large' ? large : '{"content":[]}'),
      },
    })
    onTestFinished(() => upstream.close())
    const dir = createFolder()
    const plugins = [{ audit: { durability: 'os' } }, 'redact']
    const product = await startProduct({ dir, config: { servers: [{ id: 'up', url: upstream.url }], plugins } })
    const [one, other] = [await openSession(product.origin), await openSession(product.origin)]
    await other.call('up__small')
    const before = mostOf(product.pid)
    let isDone = false
    const all = Promise.all(Array.from({ length: AT_ONCE }, () => one.call('up__large'))).finally(() => {
      isDone = true
    })
    let others = 0
    while (!isDone) {
      expect((await other.call('up__small')).result).toEqual({ content: [] })
      others += 1
    }
    for (const { result } of await all) expect(result.content[0].text === text).toBe(true)
    const grown = mostOf(product.pid) - before
    console.log(`8 results of ${BYTES / 1e6} MB: ${others} other calls meanwhile, ${Math.round(grown / 1e6)} MB more`)
    expect(others).toBeGreaterThan(3)
    expect(grown).toBeLessThan(200_000_000 + 8 * AT_ONCE * BYTES)
  })
})
