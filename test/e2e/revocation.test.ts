// T30 and case 23: a key that is revoked while streams and calls are open under it ends them, on every instance that shares its store.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAll } from './opened.ts'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { oddServer } from './servers.ts'

const begun = (dir: string): number => readRecords(dir).filter(({ type, tool }) => type === 'intent' && tool === 'hang').length

describe.skipIf(!isBuilt)('a key that is revoked', () => {
  // The promise is one second: each instance looks twice a second. The test waits for what must happen, however busy the machine.
  test('ends the streams and calls that are open under it, here and on a second instance, and both have it on record', {
    timeout: 60_000,
  }, async () => {
    const dirs = [createFolder(), createFolder()]
    const [dir, second] = dirs as [string, string]
    const { id, key } = JSON.parse(runCli(['keys', 'create', 'An agent', 'agent-1', '--json'], dir).out) as { id: string; key: string }
    const shared = { path: join(dir, '.mcpgw/keys.db'), pepper: join(dir, '.mcpgw/keys.pepper') }
    const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', { auth: { keys: shared } }] }
    const products = await Promise.all(dirs.map(each => startProduct({ dir: each, config })))
    const opened = await Promise.all(products.map(product => openAll(product, key)))
    while (dirs.some(each => begun(each) < 2)) await new Promise(resolve => setTimeout(resolve, 50))

    expect(runCli(['keys', 'revoke', id], dir).code).toBe(0)
    for (const { all } of opened) for (const { messages } of await Promise.all(all)) expect(messages.join()).not.toContain('"content"')
    for (const { next } of opened) expect(await next()).toEqual([404, 404, 401, 401])

    for (const product of products) await product.stop()
    expect(readRecords(dir).filter(({ type }) => type === 'key.revoke')).toMatchObject([{ detail: { key: id } }])
    for (const each of dirs) {
      const ends = readRecords(each).filter(({ type }) => type === 'key.end')
      expect(ends.map(({ detail }) => [detail?.key, detail?.why])).toEqual(ends.map(() => [id, 'revoked']))
      const count = (what: 'sessions' | 'requests'): number => ends.reduce((sum, { detail }) => sum + Number(detail?.[what]), 0)
      expect(count('sessions')).toBe(1)
      expect(count('requests')).toBe(3)
    }
    expect(begun(second)).toBe(2)
  })
})
