// Operators from afar: they kill, lift and restart over HTTP and as tools, on record, and nobody else is told that there is such a thing.
import { describe, expect, test } from 'vitest'
import { startOperations } from './operations-world.ts'
import { isBuilt, readHealth, runCli, serverIn } from './product.ts'

describe.skipIf(!isBuilt)('the kill switch, by its operations', () => {
  test('a server and a tenant are killed, shown and lifted; the record says by whom', async () => {
    const { callers, dir } = await startOperations()
    const { ops, admin, agent } = callers
    for (const caller of [admin, agent]) {
      expect((await caller.ask('GET', '/kills')).status).toBeGreaterThanOrEqual(403)
      expect((await caller.ask('POST', '/kills', { kind: 'tenant', name: 'globex' })).status).toBeGreaterThanOrEqual(403)
    }
    const code = async (): Promise<string | undefined> => (await agent.call('odd__echo', { text: 'x' }))?._meta?.['mcpgw/refusal']?.code
    expect(await code()).toBeUndefined()

    expect((await ops.ask('POST', '/kills', { kind: 'server', name: 'odd', because: 'it leaks' })).body).toEqual({
      kind: 'server',
      name: 'odd',
      was: false,
      recorded: true,
    })
    await expect.poll(code, { timeout: 30_000 }).toBe('killed')
    expect((await ops.ask('POST', '/kills', { kind: 'server', name: 'odd' })).body).toMatchObject({ was: true, recorded: false })
    expect((await ops.call('gateway__kills_list')).structuredContent.kills).toMatchObject([
      { kind: 'server', name: 'odd', by: 'opal', because: 'it leaks' },
    ])
    expect(runCli(['kill', '--list'], dir).out).toContain('opal')
    expect((await ops.ask('DELETE', '/kills/server/odd')).body).toEqual({ kind: 'server', name: 'odd', recorded: true })
    await expect.poll(code, { timeout: 30_000 }).toBeUndefined()
    expect((await ops.ask('DELETE', '/kills/server/odd')).status).toBe(404)

    // Whatever can be killed can be lifted, whatever its name is made of.
    for (const [kind, name] of [
      ['version', 'odd@2.0.0'],
      ['tenant', 'globex & sons/eu: "ä" ..'],
    ] as const) {
      expect((await ops.ask('POST', '/kills', { kind, name })).status).toBe(200)
      expect((await ops.ask('DELETE', `/kills/${kind}/${encodeURIComponent(name)}`)).body).toEqual({ kind, name, recorded: true })
    }
    await ops.ask('POST', '/kills', { kind: 'version', name: 'odd@2.0.0' })
    expect((await ops.ask('DELETE', '/kills/version/odd@2.0.0')).status).toBe(200)

    for (const wrong of [
      { kind: 'version', name: 'odd' },
      { kind: 'key', name: 'mgk_abcdefgh' },
      { kind: 'all', name: 'x' },
    ])
      expect((await ops.ask('POST', '/kills', wrong)).status).toBe(400)

    await ops.call('gateway__kills_set', { kind: 'tenant', name: 'acme' })
    await expect.poll(async () => (await agent.ask('GET', '/tools')).status, { timeout: 30_000 }).toBe(403)
    const log = runCli(['audit', 'log', '--type', 'kill.set', '--json'], dir)
    expect((JSON.parse(log.out) as { records: { detail: object }[] }).records.map(({ detail }) => detail)).toEqual([
      { server: 'odd', because: 'it leaks' },
      { server: 'odd', version: '2.0.0' },
      { tenant: 'globex & sons/eu: "ä" ..' },
      { server: 'odd', version: '2.0.0' },
      { tenant: 'acme' },
    ])
  }, 120_000)
  test('a server begins anew at the word of an operator, here and beside the store, and no call is lost', async () => {
    const { callers, dir, product } = await startOperations()
    const { ops, admin, agent } = callers
    const pid = async (): Promise<number | undefined> => serverIn(await readHealth(product.origin), 'odd').pids[0]
    const isAnswered = async (): Promise<boolean> => (await agent.call('odd__echo', { text: 'x' }))?.isError === undefined
    expect(await isAnswered()).toBe(true)
    const first = await pid()
    for (const caller of [admin, agent]) expect((await caller.ask('POST', '/servers/odd/restart')).status).toBeGreaterThanOrEqual(403)
    expect((await ops.ask('POST', '/servers/nobody/restart')).status).toBe(404)
    expect((await ops.ask('POST', '/servers/odd/restart')).body).toEqual({ server: 'odd', recorded: true })
    const turned = async (from: number | undefined): Promise<boolean> => {
      expect(await isAnswered()).toBe(true)
      const now = await pid()
      return now !== undefined && now !== from
    }
    await expect.poll(() => turned(first), { timeout: 30_000 }).toBe(true)
    const second = await pid()
    expect(runCli(['servers', 'restart', 'nobody'], dir)).toMatchObject({
      code: 3,
      err: expect.stringContaining('expected one of odd') as string,
    })
    expect(JSON.parse(runCli(['servers', 'restart', 'odd', '--json'], dir).out)).toEqual({ restarted: 'odd', recorded: true })
    await expect.poll(() => turned(second), { timeout: 30_000 }).toBe(true)
    const log = runCli(['audit', 'log', '--type', 'server.restart', '--json'], dir)
    expect((JSON.parse(log.out) as { records: { detail: object }[] }).records.map(({ detail }) => detail)).toEqual([
      { server: 'odd' },
      { server: 'odd' },
    ])
  }, 120_000)
})
