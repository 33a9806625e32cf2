// T22: a credential that stands in a URL lets nobody in, and is written down nowhere: not in a log of any level, not in the record.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { codeOf, initialize, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const NAMES = ['api_key', 'apikey', 'api-key', 'key', 'token', 'access_token', 'authorization', 'x-api-key', 'bearer']

describe.skipIf(!isBuilt)('a key in a URL', () => {
  test.each(['debug', 'info'])('is no credential and is nowhere afterwards, with a log of level %s', async log => {
    const dir = createFolder()
    const { key } = JSON.parse(runCli(['keys', 'create', 'An agent', 'agent-1', '--json'], dir).out) as { key: string }
    const config = {
      log,
      servers: [{ id: 'odd', ...oddServer() }],
      plugins: ['audit', { auth: { failures: { limit: 10_000 } } }, 'redact'],
    }
    const product = await startProduct({ dir, config })
    const coded = encodeURIComponent(key)
    const paths = [
      ...NAMES.map(name => `/mcp?${name}=${coded}`),
      ...NAMES.map(name => `/mcp/odd?x=1&${name}=Bearer%20${coded}`),
      `/mcp?${coded}`,
      `/healthz?api_key=${coded}`,
      `/metrics?api_key=${coded}`,
      `/nowhere?api_key=${coded}`,
      `/mcp/${coded}`,
      `/${coded}/mcp`,
    ]
    for (const path of paths) {
      const { status, messages } = await post(product.origin, initialize(), { path, headers: ['referer', `${product.origin}${path}`] })
      expect([path, status]).not.toEqual([path, 200])
      if (path.startsWith('/mcp?')) expect([path, status, codeOf(messages[0])]).toEqual([path, 401, 'unauthenticated'])
      const got = await post(product.origin, '', { path, method: 'GET', headers: ['referer', `${product.origin}${path}`] })
      expect([path, got.text.includes(key)]).toEqual([path, false])
    }
    await product.stop()
    const records = readRecords(dir)
    expect(records.filter(({ type }) => type.startsWith('refusal')).length).toBeGreaterThan(0)
    // Of a key only its id, which stands before its secret, may be anywhere.
    const secret = key.slice(13)
    expect(product.said() + product.wrote() + JSON.stringify(records)).not.toContain(secret)
    const found = execFileSync('sh', ['-c', `grep -rlaF -- "$1" "$2" || true`, 'sh', secret, join(dir)], { encoding: 'utf8' })
    expect(found).toBe('')
  })
})
