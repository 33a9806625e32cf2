// T67: whichever of its stores a newer mcpgw has written, an older one does not start on it, says which, and changes nothing in it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../core/store/index.ts'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { openSession } from './rpc.ts'
import { oddServer } from './servers.ts'

const NEWER = 99
const policy = 'policy "all" edition 1\nallow all {\n  who  any\n  call odd/*\n}\n'
const config = {
  servers: [{ id: 'odd', ...oddServer() }],
  policies: ['a.policy'],
  plugins: ['audit', 'auth', 'meter', { ratelimit: { limits: [{ name: 'all', most: 100, window: '1h' }] } }, 'policy', 'redact'],
}

describe.skipIf(!isBuilt)('a store that a newer version has written', () => {
  test('stops the start, by its name, and stays as it is', { timeout: 120_000 }, async () => {
    const dir = createFolder({ 'a.policy': policy })
    const key = runCli(['keys', 'create', 'ann', 'ann'], dir).out.trim()
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin, ['authorization', `Bearer ${key}`])
    expect((await session.call('odd__echo', { a: 1 })).error).toBeUndefined()
    expect((await product.stop()).code).toBe(0)

    const dataDir = join(dir, '.mcpgw')
    const files = readdirSync(dataDir).filter(name => name.endsWith('.db'))
    expect(files).toEqual(expect.arrayContaining(['audit.db', 'keys.db', 'usage.db']))
    const versionOf = (file: string): unknown => {
      const db = createStores({ dataDir }).open(file)
      const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
      db.close()
      return version
    }
    for (const file of files) {
      const before = versionOf(file)
      const set = (version: unknown): void => {
        const db = createStores({ dataDir }).open(file)
        db.exec(`PRAGMA user_version = ${String(version)}`)
        db.close()
      }
      set(NEWER)
      const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
      expect([file, code]).toEqual([file, 2])
      expect(err).toContain(file)
      expect(err).toMatch(/^error\[[\w-]+\]: .*written by a newer version \(schema 99, .*upgrade/m)
      expect(versionOf(file)).toBe(NEWER)
      set(before)
    }
  })
})
