// How the product starts and stops: ready at once without any config, twice on one data directory, and over stdio with nothing but MCP on stdout.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { untilGone } from '../chaos/processes.ts'
import { createFolder, isBuilt, readHealth, runCli, startProduct } from './product.ts'
import { readRecords, verify } from './records.ts'
import { codeOf, openSession, speakLines } from './rpc.ts'
import { oddServer } from './servers.ts'

const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', 'redact'] }

describe.skipIf(!isBuilt)('mcpgw run', () => {
  test('without any config serves the demo servers, and says all that a client needs', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir })
    const key = /^key +(mgk_\S+)/m.exec(product.said())?.[1] ?? ''
    expect(product.said()).toMatch(/^ready in \d+ ms$/m)
    expect(product.said()).toContain(`endpoint  ${product.origin}/mcp\n`)
    expect(product.said()).toMatch(/^policy +\S+starter\.policy$/m)
    expect(product.said()).not.toContain('every call is let through')
    const paste = JSON.parse(/^client +(.*)$/m.exec(product.said())?.[1] ?? '') as { mcpServers: { mcpgw: { headers: object } } }
    const headers = Object.entries(paste.mcpServers.mcpgw.headers).flat() as string[]
    const session = await openSession(product.origin, headers)
    const { tools } = (await session.ask('tools/list')).result as { tools: { name: string }[] }
    expect(tools.map(tool => tool.name)).toEqual(expect.arrayContaining(['notes__add_note', 'desk__get_customer']))
    const customer = JSON.stringify(await session.call('desk__get_customer', { id: 'C-1001' }))
    expect(customer).toContain('Ada Moreno')
    expect(customer).not.toMatch(/4242 4242|example\.com|536-90-4399/)
    expect(product.wrote()).toBe('')
    const { pids = [] } = (await readHealth(product.origin)).servers[0] ?? {}
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    await untilGone(pids)
    // What it wrote is for this user alone, and the key is nowhere in it.
    const files = readdirSync(join(dir, '.mcpgw'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    for (const entry of files) expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077, entry.name).toBe(0)
    expect(key).not.toBe('')
    expect(JSON.stringify(readRecords(dir))).not.toContain(key)
  })

  test('over stdio writes nothing to stdout but MCP, whatever its servers do', async () => {
    const dir = createFolder()
    const noisy = [
      { id: 'good', ...oddServer() },
      { id: 'floods', ...oddServer('floods') },
      { id: 'chatter', ...oddServer('chatter') },
      { id: 'exits', ...oddServer('exits') },
    ]
    const product = await startProduct({ dir, args: ['--stdio'], config: { ...config, servers: noisy, log: 'debug' } })
    const lines = await speakLines(product)
    // First, as long as its restarts are close together: a call waits for the next of them.
    expect(codeOf(await lines.ask('tools/call', { name: 'exits__echo', arguments: {} }))).toBe('upstream-unavailable')
    await lines.ask('tools/list')
    for (const tool of ['echo', 'garbage', 'flood', 'die']) await lines.ask('tools/call', { name: `good__${tool}`, arguments: {} })
    product.child.stdin?.write('this is no JSON\n{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}\n')
    expect((await lines.find(message => message.id === null)).error.code).toBe(-32700)
    expect((await lines.ask('ping')).result).toEqual({})
    product.child.stdin?.end()
    expect(await product.exited).toEqual({ code: 0, signal: null })
    const written = product.wrote().split('\n')
    expect(written.pop()).toBe('')
    for (const line of written) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' })
    expect(product.said()).toContain('ready in')
  })

  test('twice on the same data directory: both work, and the one record of both holds together', async () => {
    const dir = createFolder()
    const first = await startProduct({ dir, config })
    const second = await startProduct({ dir, config })
    const sessions = await Promise.all([first, second].map(one => openSession(one.origin)))
    const calls = sessions.flatMap((session, who) => Array.from({ length: 50 }, (_, n) => session.call('odd__echo', { who, n })))
    expect((await Promise.all(calls)).map(codeOf)).toEqual(calls.map(() => undefined))
    // The first one's end leaves the other alone, and its servers.
    expect((await first.stop()).code).toBe(0)
    expect(codeOf(await sessions[1]!.call('odd__echo', { still: 'here' }))).toBeUndefined()
    expect((await second.stop()).code).toBe(0)
    const records = readRecords(dir)
    expect(new Set(records.map(record => record.stream)).size).toBe(2)
    expect(records.filter(record => record.outcome === 'answered')).toHaveLength(101)
    expect(records.filter(record => record.outcome === 'unknown')).toEqual([])
    expect(verify(dir).code).toBe(4)
  })

  test('twice on the same port: the second is refused with exit 2, the first goes on', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config })
    const { code, err } = runCli(['run', '--http', new URL(product.origin).host], dir)
    expect(code, err).toBe(2)
    expect(err).toContain('error[listen-failed]')
    expect(codeOf(await (await openSession(product.origin)).call('odd__echo'))).toBeUndefined()
    expect((await product.stop()).code).toBe(0)
    expect(verify(dir).code).toBe(4)
  })
})
