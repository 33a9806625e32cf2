// The built product takes its config again under load: by signal and by file, all of it or nothing, and no call is lost. MCPGW_CHAOS=full: 500 times.
import { generateKeyPairSync } from 'node:crypto'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startLoad } from '../chaos/load.ts'
import { createFolder, isBuilt, readHealth, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { openSession } from './rpc.ts'
import { oddServer } from './servers.ts'

const TIMES = process.env.MCPGW_CHAOS === 'full' ? 500 : 12
const plugins = [{ audit: { durability: 'os' } }]
const odd = (id: string, more: object = {}): object => ({ id, ...oddServer(), ...more })

function writerFor(dir: string): (config: object | string) => void {
  const file = join(dir, 'mcpgw.yaml')
  return config => {
    writeFileSync(`${file}.new`, typeof config === 'string' ? config : JSON.stringify(config, null, 2))
    renameSync(`${file}.new`, file)
  }
}

describe.skipIf(!isBuilt)('a config that is taken again', () => {
  test(`${TIMES} times under load: no call fails, whatever comes, changes or goes beside`, { timeout: 60_000 + TIMES * 1000 }, async () => {
    const dir = createFolder()
    const write = writerFor(dir)
    const product = await startProduct({ dir, config: { servers: [odd('stays'), odd('turns')], plugins } })
    const calls = { perSecond: 40, atOnce: 16 }
    const stays = await startLoad(product.origin, { tool: 'stays__echo', prefix: 'stays', ...calls })
    const turns = await startLoad(product.origin, { tool: 'turns__echo', prefix: 'turns', ...calls })
    await Promise.all([stays.answers(10), turns.answers(10)])
    const pidOf = async (id: string): Promise<number | undefined> =>
      (await readHealth(product.origin)).servers.find(({ server }) => server === id)?.pids[0]
    const before = await pidOf('stays')
    for (let time = 1; time <= TIMES; time++) {
      const beside = time % 2 === 1 ? [odd(`new-${time}`)] : []
      write({ servers: [odd('stays'), odd('turns', { env: { TURN: String(time) } }), ...beside], plugins })
      product.signal('SIGHUP')
      const ids = ['stays', 'turns', ...(time % 2 === 1 ? [`new-${time}`] : [])].join()
      await untilHealth(
        product.origin,
        ({ servers }) =>
          servers
            .map(({ server }) => server)
            .toSorted()
            .join() === ids.split(',').toSorted().join(),
      )
      await Promise.all([stays.answers(3), turns.answers(3)])
    }
    await Promise.all([stays.end(), turns.end()])
    expect([...stays.failed, ...turns.failed]).toEqual([])
    expect(stays.answered.size + turns.answered.size).toBe(stays.sent() + turns.sent())
    expect(await pidOf('stays')).toBe(before)
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    const reloads = readRecords(dir).filter(({ type }) => type === 'config.reloaded')
    expect(reloads.length).toBeGreaterThanOrEqual(TIMES / 2)
    expect(reloads[0]?.detail).toMatchObject({ added: ['new-1'], changed: ['turns'], removed: [] })
  })

  test('a file that changed is noticed; one that is wrong, or asks for what needs a restart, changes nothing and says why', {
    timeout: 90_000,
  }, async () => {
    const dir = createFolder()
    const write = writerFor(dir)
    const product = await startProduct({ dir, config: { servers: [odd('one')], plugins } })
    const session = await openSession(product.origin)
    const names = async (): Promise<string[]> =>
      ((await session.ask('tools/list')).result.tools as { name: string }[]).map(({ name }) => name.split('__')[0]!)
    write({ servers: [odd('one'), odd('two')], plugins })
    await untilHealth(product.origin, ({ servers }) => servers.length === 2)
    expect(new Set(await names())).toEqual(new Set(['one', 'two']))

    write('servers:\n  - id: one\n    comand: x\n')
    await product.hears('error[unknown-key]')
    expect(product.said()).toMatch(/--> mcpgw\.yaml:3:5\n/)
    write({ listen: '127.0.0.1:1', servers: [odd('one'), odd('three')], names: 'bare', plugins: [...plugins, 'redact'] })
    await product.hears('error[needs-restart]: needs a restart: `plugins`')
    expect(product.said()).toContain('needs a restart: `names`')
    expect(new Set(await names())).toEqual(new Set(['one', 'two']))
    write({ servers: [odd('one', { tenants: ['acme'] })], plugins })
    await product.hears('error[server-unreachable]')
    expect(new Set(await names())).toEqual(new Set(['one', 'two']))

    write({ servers: [odd('two')], plugins })
    await untilHealth(product.origin, ({ servers }) => servers.length === 1)
    expect(new Set(await names())).toEqual(new Set(['two']))
    await product.stop()
    const events = readRecords(dir).filter(({ type }) => type.startsWith('config.'))
    expect(events.map(({ type }) => type)).toEqual([
      'config.load',
      'config.reloaded',
      ...Array(3).fill('config.refused'),
      'config.reloaded',
    ])
    expect(events[3]?.detail).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ code: 'needs-restart' })]) })
    expect(events[5]?.detail).toMatchObject({ added: [], changed: [], removed: ['one'] })
  })

  test('servers whose names would leave a setting of a plugin without effect are not taken, as no start would take them', {
    timeout: 60_000,
  }, async () => {
    const dir = createFolder()
    const write = writerFor(dir)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwt = [{ issuer: 'https://login.example.com', audience: 'gw', jwks: { keys: [publicKey.export({ format: 'jwk' })] } }]
    const resource = { url: 'https://gw.example.com', stepUp: ['crm', 'late'].map(server => ({ server, scopes: ['crm.write'] })) }
    const rest = { plugins: [...plugins, { auth: { jwt, resource } }], registration: { origins: ['http://127.0.0.1:9'] } }
    write({ servers: [odd('crm')], ...rest })
    // Servers that were registered are servers.
    expect(runCli(['servers', 'add', 'late', '--url', 'http://127.0.0.1:9/mcp'], dir)).toMatchObject({ code: 0 })
    const product = await startProduct({ dir })
    write({ servers: [odd('crm2')], ...rest })
    await product.hears('resource.stepUp[0].server: "crm" is no server, so that its scopes are never asked for; did you mean crm2?')
    expect((await readHealth(product.origin)).servers.map(({ server }) => server)).toEqual(['crm', 'late'])
    write({ servers: [odd('crm', { name: 'CRM' }), odd('crm2')], ...rest })
    await untilHealth(product.origin, ({ servers }) => servers.length === 3)
    await product.stop()
    const types = readRecords(dir).flatMap(({ type }) => (type.startsWith('config.') ? [type] : []))
    expect(types).toEqual(['config.load', 'config.refused', 'config.reloaded'])
  })
})
