// What operators watch a gateway with: /metrics of the built product, the alert rules and the dashboard of examples/observability.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { openSession } from './rpc.ts'
import { everything } from './servers.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/observability/', import.meta.url))
const read = (name: string): string => readFileSync(join(EXAMPLE, name), 'utf8')

const canCheck = spawnSync('promtool', ['--version']).status === 0
if (!canCheck) {
  const what = 'no promtool: install prometheus'
  if (process.env.CI !== undefined) throw new Error(what)
  console.warn(`skipped: ${what}`)
}
function promtool(words: readonly string[], input = ''): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: EXAMPLE, input, encoding: 'utf8' })
  return { code: status, said: `${stdout}${stderr}` }
}

const POLICY = 'policy "all" edition 1\nallow everything {\n  who  any\n  call */*\n}\n'
const EVERY_PLUGIN = [
  { ipfilter: { allow: ['127.0.0.1'] } },
  { audit: { exports: [{ name: 'copy', file: 'copy.jsonl' }], anchors: [{ file: 'anchors.txt' }] } },
  'auth',
  { ratelimit: { limits: [{ name: 'all', most: 1000 }] } },
  'policy',
  'cache',
  'meter',
  { stripe: { apiKey: 'rk_test_of_nobody', dryRun: true, meters: [{ event: 'calls' }], customers: {} } },
  'redact',
]

/** Name to what it is, and all labels that its series have. */
interface Shown {
  readonly kinds: ReadonlyMap<string, string>
  readonly text: string
}
function readShown(text: string): Shown {
  return { text, kinds: new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!])) }
}

describe.skipIf(!isBuilt)('metrics of the product, with every plugin', () => {
  async function shownOfAll(): Promise<Shown> {
    const dir = createFolder({ 'a.policy': POLICY })
    // Nobody is there: limits are counted alone, which is what there is a metric for.
    const store = { redis: 'redis://127.0.0.1:9' }
    const config = { servers: [{ id: 'everything', ...everything() }], plugins: EVERY_PLUGIN, policies: ['a.policy'], store }
    const product = await startProduct({ dir, config })
    const text = await (await fetch(`${product.origin}/metrics`)).text()
    await product.stop()
    return readShown(text)
  }

  test('the rules and the dashboard name only what there is, and histograms by their parts', async () => {
    const { kinds } = await shownOfAll()
    const rules = (parse(read('alerts.yaml')) as { groups: { rules: { expr: string }[] }[] }).groups.flatMap(group => group.rules)
    const panels = (JSON.parse(read('dashboard.json')) as { panels: { targets: { expr: string }[] }[] }).panels
    const exprs = [...rules, ...panels.flatMap(panel => panel.targets)].map(({ expr }) => expr)
    expect(exprs.length).toBeGreaterThan(30)
    const names = exprs.flatMap(expr => [...expr.matchAll(/\b(?:mcpgw|process)_[a-z_]+/g)].map(([name]) => name))
    const isThere = (name: string): boolean => {
      const [, base] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? []
      return base !== undefined && kinds.get(base) === 'histogram' ? true : kinds.has(name) && kinds.get(name) !== 'histogram'
    }
    expect([...new Set(names)].filter(name => !isThere(name))).toEqual([])
    // A rate of what may fall, or a quantile of what is no histogram, shows nonsense.
    const rated = exprs.flatMap(expr => [...expr.matchAll(/\b(?:rate|increase)\(([a-z_]+)/g)].map(([, name]) => name!))
    expect(rated.filter(name => kinds.get(name) === 'gauge')).toEqual([])
  }, 60_000)

  test('the page names only metrics that there are', async () => {
    const { kinds } = await shownOfAll()
    const cells = [...read('README.md').matchAll(/^\| ((?:`\w+`(?:, )?)+) +\|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
    )
    let prefix = ''
    const full = cells.map(name => {
      if (!name.startsWith('_')) prefix = name.replace(/_under_way$/, '')
      return name.startsWith('_') ? prefix + name : name
    })
    expect(full.length).toBeGreaterThan(20)
    // Tokens are counted where a server has credentials.
    expect(full.filter(name => !kinds.has(name) && name !== 'mcpgw_server_tokens_total')).toEqual([])
  }, 60_000)

  test.skipIf(!canCheck)(
    'promtool has nothing against how they are named and told',
    async () => {
      const { text } = await shownOfAll()
      expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, said: '' })
    },
    60_000,
  )
})

describe.skipIf(!canCheck)('the rules', () => {
  test('are rules, and fire as their tests say', () => {
    expect(promtool(['check', 'rules', 'alerts.yaml']).code).toBe(0)
    const { code, said } = promtool(['test', 'rules', 'alerts.test.yaml'])
    expect(code, said).toBe(0)
  })

  test('have their place in the config for Prometheus', () => {
    const dir = createFolder({ 'prometheus.yaml': read('prometheus.yaml'), 'alerts.yaml': read('alerts.yaml'), 'metrics-token': 'x' })
    const { code, said } = promtool(['check', 'config', join(dir, 'prometheus.yaml')])
    expect(code, said).toBe(0)
  })
})

describe.skipIf(!isBuilt)('metrics.token', () => {
  test('is wanted of everybody, is shown nowhere, and comes out of a secret', async () => {
    const dir = createFolder()
    const token = randomBytes(24).toString('hex')
    mkdirSync(join(dir, '.mcpgw/secrets'), { recursive: true })
    writeFileSync(join(dir, '.mcpgw/secrets/metrics'), `${token}\n`)
    chmodSync(join(dir, '.mcpgw/secrets/metrics'), 0o600)
    const config = {
      servers: [{ id: 'everything', ...everything() }],
      plugins: ['audit'],
      metrics: { token: '${secret:metrics}' },
    }
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin)
    const get = (headers: Readonly<Record<string, string>> = {}) => fetch(`${product.origin}/metrics`, { headers })
    const refused = await get()
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="mcpgw"'])
    expect((await get({ authorization: `Bearer ${token}x` })).status).toBe(401)
    const shown = await get({ authorization: `Bearer ${token}` })
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    // Whoever comes through a proxy may read it, too: the token is what counts.
    const proxied = await get({ authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9' })
    expect(await proxied.text()).toContain('mcpgw_build_info{version="')
    // What a caller sends and a server echoes is taken out like any other secret.
    const echoed = await session.call('everything__echo', { message: `it is ${token}` })
    expect(JSON.stringify(echoed)).not.toContain(token)
    await product.stop()
    const config_ = runCli(['config', 'show'], dir)
    expect(config_.out).toContain('metrics')
    expect(`${config_.out}${config_.err}${product.said()}`).not.toContain(token)
    const records = runCli(['audit', 'log', '--json'], dir).out
    expect(records).toContain('/metrics')
    expect(records).not.toContain(token)
  }, 60_000)

  test.each([
    ['short', 'not a token'],
    ['with a space in it, which no header has', 'not a token'],
  ])('%s: is refused with its place, and not repeated', (token, why) => {
    const dir = createFolder({ 'mcpgw.yaml': `servers: []\nmetrics: {token: "${token}"}\n` })
    const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
    expect(code).toBe(2)
    expect(err).toContain('mcpgw.yaml:2:18')
    expect(err).toContain(why)
  })
})
