// The cache in the built product, over HTTP, in front of a real server: the second call is not the server's, and the record says so.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createPlainClient } from './clients.ts'
import { gatewayIsBuilt, startGateway } from './gateway.ts'
import { readRecords } from './records.ts'
import { createSandbox, everything, realServers } from './servers.ts'

test.skipIf(!gatewayIsBuilt)('what a file says is kept until its time has passed, and each answer from here is on record', async () => {
  const sandbox = createSandbox()
  onTestFinished(() => sandbox.remove())
  const dir = join(sandbox.root, 'gateway')
  const rules = [{ readOnlyTools: 'filesystem/read_*', ttl: '1h' }]
  const config = {
    servers: [
      { id: 'everything', ...everything() },
      { id: 'filesystem', ...realServers(sandbox).filesystem },
    ],
    plugins: ['audit', 'redact', { cache: { rules } }],
  }
  const gateway = await startGateway({ dir, stdio: false, config })
  onTestFinished(() => gateway.stop())
  const client = createPlainClient()
  await gateway.connect(client)
  const path = join(sandbox.files, 'notes.txt')
  const read = () => client.callTool({ name: 'filesystem__read_text_file', arguments: { path } })
  const first = await read()
  expect(JSON.stringify(first)).toContain('first line')
  writeFileSync(path, 'other text\n')
  expect(readFileSync(path, 'utf8')).toBe('other text\n')
  expect(await read()).toEqual(first)
  const echo = () => client.callTool({ name: 'everything__echo', arguments: { message: 'hello' } })
  expect(await echo()).toEqual(await echo())
  await client.close()
  const metrics = await (await fetch(gateway.url.replace(/mcp$/, 'metrics'))).text()
  expect(metrics).toContain('mcpgw_cache_hits_total{server="filesystem"} 1')
  await gateway.stop()
  const ends = readRecords(dir).filter(({ type, tool }) => type === 'outcome' && tool !== undefined) as readonly {
    tool?: string
    answered?: object
  }[]
  expect(ends.map(({ tool, answered }) => [tool, answered])).toEqual([
    ['read_text_file', undefined],
    ['read_text_file', { from: 'cache', ageMs: expect.any(Number) }],
    ['echo', undefined],
    ['echo', undefined],
  ])
})
