// A server that is killed in the middle of a call: the caller hears of it at once, it comes back by itself, nobody else notices.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, readHealth, serverIn, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { descendantsOf, isAlive, running, textOf, untilGone } from './processes.ts'

const servers = [
  { id: 'odd', ...oddServer('wrapper') },
  { id: 'good', ...oddServer() },
]

describe.skipIf(!isBuilt)('kill -9 of a server in the middle of a call', () => {
  test('is told with upstream-crashed, the server restarts, no orphan stays, the other server goes on', async () => {
    const product = await startProduct({ dir: createFolder(), config: { servers, plugins: ['audit', 'redact'] } })
    const session = await openSession(product.origin)
    await session.call('odd__pid')
    const other = serverIn(await readHealth(product.origin), 'good').pids
    const family = (): number[] => descendantsOf(product.pid)
    const [pid = 0] = running('odd-mcp-server.mjs wrapper', family())
    const descendants = running('odd-mcp-server.mjs stubborn', family())
    expect(descendants).toHaveLength(1)

    const waiting = session.call('odd__hang')
    const beside = session.call('good__slow', { ms: 500 })
    await session.call('odd__echo', { before: 'the kill' })
    const killed = performance.now()
    process.kill(pid, 'SIGKILL')
    const failed = await waiting
    // The promise is one second after the exit; the rest is for a busy machine.
    expect(performance.now() - killed).toBeLessThan(4000)
    expect(codeOf(failed)).toBe('upstream-crashed')
    expect(textOf(await beside)).toEqual({ ms: 500 })

    const health = await untilHealth(product.origin, seen => serverIn(seen, 'odd').state === 'ready')
    expect(serverIn(health, 'odd').restarts).toBe(1)
    expect(textOf(await session.call('odd__echo', { again: true }))).toEqual({ again: true })
    await untilGone([pid, ...descendants])
    expect(serverIn(await readHealth(product.origin), 'good').pids).toEqual(other)

    expect([...serverIn(health, 'odd').pids, ...other].every(isAlive)).toBe(true)
    const later = family()
    expect(running('stubborn', later)).toHaveLength(1)
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    await untilGone(later)
  })

  test('every call under way on it is told, and each has its outcome in the record', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config: { servers, plugins: ['audit'] } })
    const session = await openSession(product.origin)
    const waiting = Array.from({ length: 20 }, () => session.call('odd__hang'))
    const died = session.call('odd__die')
    const codes = (await Promise.all([...waiting, died])).map(codeOf)
    expect(new Set(codes)).toEqual(new Set(['upstream-crashed']))
    await product.stop()
    const outcomes = readRecords(dir).filter(record => record.type === 'outcome' && record.tool === 'hang')
    expect(outcomes).toHaveLength(20)
    expect(new Set(outcomes.map(record => record.outcome))).toEqual(new Set(['crashed']))
  })
})
