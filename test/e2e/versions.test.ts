// Two versions of one server side by side in the built product, one reached over HTTP, one a program: who gets which, and the way back, by weights and by the kill switch, under load.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { INSTANCE, startInstance, startLoad } from './instances.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession, post } from './rpc.ts'

const CALLERS = Array.from({ length: 12 }, (_, at) => `caller-${at}`)
const keyOf = (id: string): string => `gw_key-of-${id}-0123456789abcdef`
const bearing = (id: string): string[] => ['Authorization', `Bearer ${keyOf(id)}`]
const named = (id: string, tenant: string, roles: readonly string[]) => ({
  id: `key-${id}`,
  key: keyOf(id),
  name: id,
  consumerId: id,
  tenant,
  roles,
})
const apiKeys = [
  ...CALLERS.map(id => named(id, 'acme', [])),
  named('tester', 'acme', ['beta']),
  named('careful', 'acme', ['beta', 'cautious']),
  named('guest', 'globex', []),
]
const plugins = [{ audit: { durability: 'os' } }, { auth: { apiKeys } }]
// Kept for all who have the same rights: but for the version, each caller would be given the answer of any other.
const cache = { cache: { rules: [{ tools: 'crm/who', ttl: '1h', scope: 'rights' }] } }
const pins = [{ roles: ['cautious'] }, { roles: ['beta'], tenants: ['globex'] }]

async function startBoth(more: readonly (object | string)[] = []) {
  const one = await startInstance('one', { DESCRIPTION: 'Says 1.' })
  const dir = createFolder()
  const configOf = (first: number, second: number): object => ({
    servers: [
      {
        id: 'crm',
        shared: true,
        versions: [
          { version: '1.0.0', weight: first, url: one.url, pins: pins[0] },
          {
            version: '2.0.0',
            weight: second,
            command: process.execPath,
            args: [INSTANCE],
            env: { STDIO: '1', NAME: 'two', DESCRIPTION: 'Says 2.' },
            instances: 2,
            pins: pins[1],
          },
        ],
      },
    ],
    plugins: [...plugins, ...more],
  })
  const product = await startProduct({ dir, config: configOf(1, 1) })
  return {
    dir,
    product,
    async weigh(first: number, second: number, times: number) {
      writeFileSync(join(dir, 'next.yaml'), JSON.stringify(configOf(first, second)))
      renameSync(join(dir, 'next.yaml'), join(dir, 'mcpgw.yaml'))
      product.signal('SIGHUP')
      await expect.poll(() => product.said().split('the config was taken again').length - 1, { timeout: 20_000 }).toBe(times)
    },
    kill(...words: readonly string[]) {
      const { code, err } = runCli(['kill', '--server', 'crm', '--version', '2.0.0', ...words], dir)
      expect(code, err).toBe(0)
    },
  }
}

const textOf = (message: { result?: { content?: { text: string }[] } }): string | undefined => message.result?.content?.[0]?.text

/** In a session of his own. */
const inSession = async ({ origin }: Product, id: string) => (await openSession(origin, bearing(id))).call('crm__who')
const whoFor = async (product: Product, id: string): Promise<string | undefined> => textOf(await inSession(product, id))

/** By one request without a session. */
const whoAtOnce = async (product: Product, id: string): Promise<string | undefined> => textOf(await atOnce(product, id))
async function atOnce({ origin }: Product, id: string) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'crm__who', arguments: {}, _meta }
  const headers = ['mcp-protocol-version', '2026-07-28', 'mcp-method', 'tools/call', 'mcp-name', 'crm__who', ...bearing(id)]
  const { messages } = await post(origin, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }), { headers })
  return messages.at(-1)
}

test.runIf(isBuilt)(
  'each caller has one version: its tools, its answers, its cache and its usage; pins come first, and weights that change move new sessions alone',
  { timeout: 60_000 },
  async () => {
    const { dir, product, weigh } = await startBoth(['meter', cache])
    const ofCaller = new Map<string, string | undefined>()
    for (const id of CALLERS) {
      const who = await whoFor(product, id)
      expect([await whoFor(product, id), await whoAtOnce(product, id)]).toEqual([who, who])
      ofCaller.set(id, who)
    }
    expect(new Set(ofCaller.values())).toEqual(new Set(['one', 'two']))
    expect([await whoFor(product, 'tester'), await whoFor(product, 'guest'), await whoFor(product, 'careful')]).toEqual([
      'two',
      'two',
      'one',
    ])
    const described = { one: 'Says 1.', two: 'Says 2.' }
    for (const id of CALLERS.slice(0, 4)) {
      const { result } = await (await openSession(product.origin, bearing(id))).ask('tools/list')
      expect(result.tools[0].description).toBe(described[ofCaller.get(id) as 'one' | 'two'])
    }

    const open = await openSession(product.origin, bearing('tester'))
    const second = CALLERS.find(id => ofCaller.get(id) === 'two')!
    const held = await openSession(product.origin, bearing(second))
    await weigh(1, 0, 1)
    expect(textOf(await held.call('crm__who'))).toBe('two')
    for (const id of CALLERS) expect([await whoFor(product, id), await whoAtOnce(product, id)]).toEqual(['one', 'one'])
    expect([textOf(await open.call('crm__who')), await whoFor(product, 'tester')]).toEqual(['two', 'two'])
    await weigh(1, 1, 2)
    for (const id of CALLERS) expect(await whoFor(product, id)).toBe(ofCaller.get(id))

    const metrics = await (await fetch(`${product.origin}/metrics`)).text()
    expect(metrics).toContain('mcpgw_server_breaker{server="crm",server_version="2.0.0",server_instance="2"} 0')
    expect(metrics).toMatch(/^mcpgw_calls_total\{server="crm",server_version="2\.0\.0",tool="who",outcome="answered"\} \d+$/m)
    await product.stop()
    const outcomes = readRecords(dir).filter(({ type, tool }) => type === 'outcome' && tool === 'who') as unknown as {
      version: string
      instance?: number
    }[]
    expect(new Set(outcomes.map(({ version }) => version))).toEqual(new Set(['1.0.0', '2.0.0']))
    for (const { version, instance } of outcomes) if (instance !== undefined) expect([version, instance > 0]).toEqual(['2.0.0', true])
    expect(outcomes.some(({ instance }) => instance !== undefined)).toBe(true)
    const usage = JSON.parse(runCli(['usage', '--by', 'tool,version', '--json'], dir).out) as { rows: { tool: string; calls: number }[] }
    const calls = (of: string): number => outcomes.filter(({ version }) => version === of).length
    expect(usage.rows.filter(({ tool }) => tool === 'who')).toMatchObject([
      { version: '1.0.0', calls: calls('1.0.0') },
      { version: '2.0.0', calls: calls('2.0.0') },
    ])
  },
)

test.runIf(isBuilt)(
  'under load weights change and a version is killed and lifted: no call fails but those under way at the killed one',
  { timeout: 90_000 },
  async () => {
    const { product, weigh, kill } = await startBoth()
    const sessions = await Promise.all([...CALLERS, 'tester', 'guest'].map(id => openSession(product.origin, bearing(id))))
    // Also those that begin anew, and those without any.
    const others = CALLERS.slice(0, 4).flatMap(id => [{ call: () => inSession(product, id) }, { call: () => atOnce(product, id) }])
    const load = startLoad([...sessions, ...others], 'crm__who')
    await load.untilHeard('one', 'two')
    await weigh(1, 0, 1)
    await weigh(0, 1, 2)
    await load.untilHeard('one', 'two')
    expect(load.heard.filter(({ who }) => who === undefined)).toEqual([])

    kill('--because', 'it forgets')
    await product.hears('server is killed by an operator')
    const known = performance.now()
    await load.untilHeard('one')
    await untilHealth(product.origin, health =>
      health.servers.filter(({ version }) => version === '2.0.0').every(({ pids }) => pids.length === 0),
    )
    await load.untilHeard('one')
    const failed = load.heard.filter(({ who }) => who === undefined)
    expect(failed.filter(({ began }) => began > known)).toEqual([])
    for (const { code } of failed) expect(code).toBe('killed')
    expect(load.heard.filter(({ who, began }) => who === 'two' && began > known)).toEqual([])
    expect([await whoFor(product, 'tester'), await whoAtOnce(product, 'guest')]).toEqual(['one', 'one'])
    expect(codeOf(await sessions[0]!.call('crm__who'))).toBeUndefined()

    kill('--lift')
    await product.hears('server is no longer killed')
    expect([await whoFor(product, 'tester'), await whoAtOnce(product, 'guest')]).toEqual(['two', 'two'])
    await load.stop()
    expect(load.heard.filter(({ who, began }) => who === undefined && began > known)).toEqual([])
  },
)
