// T34, T63 and case 32, through the built product: no header that a client chooses makes it somebody else to a limit.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const servers = [{ id: 'odd', ...oddServer() }]
const MOST = 5
const limitBy = (per: string): object => ({ ratelimit: { limits: [{ name: 'few', per, most: MOST, window: '1h' }] } })

/** One call in a session of its own, as a client of such headers and such a name; undefined where it went through. */
async function callOnce(product: Product, headers: readonly string[], client = 'test'): Promise<string | undefined> {
  return codeOf(await (await openSession(product.origin, headers, client)).call('odd__echo', {}))
}

/** The same, without any session. */
async function visitOnce({ origin }: Product, headers: readonly string[], client: string): Promise<string | undefined> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: client, version: '1' },
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'odd__echo', arguments: {}, _meta } })
  const mirrored = ['mcp-protocol-version', '2026-07-28', 'mcp-method', 'tools/call', 'mcp-name', 'odd__echo']
  return codeOf((await post(origin, body, { headers: [...mirrored, ...headers] })).messages.at(-1))
}

/** What evaders turn, anew each time. */
const turned = (i: number): readonly string[] =>
  Object.entries({
    'x-forwarded-for': `198.51.100.${i}`,
    forwarded: `for=198.51.100.${i}`,
    'x-real-ip': `198.51.100.${i}`,
    'cf-connecting-ip': `198.51.100.${i}`,
    'true-client-ip': `198.51.100.${i}`,
    'x-client-ip': `198.51.100.${i}`,
    'user-agent': `agent/${i}`,
    'x-request-id': `request-${i}`,
    'x-client-id': `client-${i}`,
    'x-tenant-id': `tenant-${i}`,
    'x-consumer-id': `consumer-${i}`,
    cookie: `session=${i}`,
    traceparent: `00-${String(i).padStart(32, '0')}-0000000000000001-01`,
  }).flat()

describe.skipIf(!isBuilt)('a limit', () => {
  test.each([
    ['principal', MOST],
    ['tenant', MOST],
    ['address', MOST],
    ['all', MOST],
    // Two keys of one principal are two where the operator counts keys, and no more than two.
    ['key', 2 * MOST],
  ])('per %s lets through what it says, whatever else a client says of itself', async (per, expected) => {
    const dir = createFolder()
    const keys = [1, 2].map(
      n => (JSON.parse(runCli(['keys', 'create', `Agent ${n}`, 'agent-1', '--json'], dir).out) as { key: string }).key,
    )
    const product = await startProduct({ dir, config: { servers, plugins: ['audit', 'auth', limitBy(per)] } })
    const codes: (string | undefined)[] = []
    for (let i = 0; i < 24; i++) {
      const key = keys[i % 2]!
      const credential = i % 4 < 2 ? ['Authorization', `Bearer ${key}`] : ['X-API-Key', key]
      const headers = [...credential, ...turned(i)]
      codes.push(await (i % 3 === 0 ? visitOnce(product, headers, `client-${i}`) : callOnce(product, headers, `client-${i}`)))
    }
    expect(codes.filter(code => code === undefined)).toHaveLength(expected)
    expect(new Set(codes.filter(code => code !== undefined))).toEqual(new Set(['rate-limited']))
    await product.stop()
    // Refused before the server saw anything, each on record.
    const records = readRecords(dir)
    expect(records.filter(({ type }) => type === 'intent')).toHaveLength(expected)
    const refused = records.filter(({ decision }) => decision?.code === 'rate-limited')
    expect(refused.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(24 - expected)
    expect(new Set(records.filter(({ source }) => source !== undefined).map(({ source }) => source?.ip))).toEqual(new Set(['127.0.0.1']))
  })

  test('behind trusted proxies is one for each client, by the same address that the record has', async () => {
    const dir = createFolder()
    const listen = { trustedProxies: ['127.0.0.1', '10.9.0.0/16'] }
    const product = await startProduct({ dir, config: { listen, servers, plugins: ['audit', limitBy('address')] } })
    const through = async (...chain: string[]): Promise<number> => {
      let passed = 0
      for (let i = 0; i < MOST + 3; i++) {
        // Left of what the proxies wrote stands what the client wrote.
        const forged = chain.length === 0 ? [] : [`192.0.2.${i}, ${chain[0]}`, ...chain.slice(1)]
        if (
          (await callOnce(
            product,
            forged.flatMap(one => ['x-forwarded-for', one]),
          )) === undefined
        )
          passed++
      }
      return passed
    }
    expect(await through('203.0.113.5')).toBe(MOST)
    expect(await through('203.0.113.5, 10.9.0.1')).toBe(0)
    expect(await through('203.0.113.5', '10.9.0.2')).toBe(0)
    expect(await through('::ffff:203.0.113.5')).toBe(0)
    expect(await through('203.0.113.6, 10.9.0.1')).toBe(MOST)
    // Of IPv6 a customer has a /64.
    expect(await through('2001:db8:1:1::1')).toBe(MOST)
    expect(await through('2001:db8:1:1:ffff::2')).toBe(0)
    // What cannot be read is all one: whoever comes through this proxy and is not clear.
    expect(await through('203.0.113.7:80')).toBe(MOST)
    expect(await through('unknown')).toBe(0)
    expect(await through('010.0.0.7')).toBe(0)
    await product.stop()
    const sources = readRecords(dir)
      .filter(({ type }) => type === 'intent')
      .map(({ source }) => source?.ip)
    expect(new Set(sources)).toEqual(new Set(['203.0.113.5', '203.0.113.6', '2001:db8:1:1::1', '127.0.0.1']))
  })
})
