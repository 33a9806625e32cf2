// Case 22: a file that belongs to neither root nor the user that runs the gateway stops the start, whatever its mode; what a container mounts does not.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { say } from '../core/commands/run-command.ts'
import { createAuthority } from '../core/downstream/certificates.ts'
import { createFolder, isBuilt, startProduct } from './product.ts'

const isRoot = process.geteuid?.() === 0
const STRANGER = 4242
const NOBODY = 54_321
const policy = 'policy "a" edition 1\n'

describe.skipIf(!isBuilt || !isRoot)('of a stranger', () => {
  test('nothing that decides, is secret or is evidence is taken, and its path and owner are named; given back, all of it is', async () => {
    const own = createAuthority().issue('own')
    const dir = createFolder({ 'a.policy': policy })
    mkdirSync(join(dir, '.mcpgw/secrets'), { recursive: true, mode: 0o700 })
    writeFileSync(join(dir, '.mcpgw/secrets/far'), 'a-secret-of-the-far-server', { mode: 0o600 })
    const config = {
      listen: { tls: { cert: own.cert, key: own.key } },
      servers: [{ id: 'far', url: 'http://127.0.0.1:1/mcp', headers: { 'X-Key': '$'.concat('{secret:far}') } }],
      policies: ['a.policy'],
      plugins: ['audit', 'auth', 'policy'],
    }
    await (await startProduct({ dir, config })).stop()
    const data = ['', 'audit.db', 'audit.db.key', 'audit.db.signing-key', 'keys.db', 'keys.pepper', 'secrets', 'secrets/far']
    const paths = ['mcpgw.yaml', 'a.policy', ...data.map(file => join('.mcpgw', file))].map(path => join(dir, path))
    for (const path of [...paths, own.cert, own.key]) {
      chownSync(path, STRANGER, STRANGER)
      const { code, out, err } = await say(dir, ['run', '--http', '127.0.0.1:0'])
      expect([code, out], `${path}: ${err}`).toEqual([2, ''])
      const name = path.replace(`${dir}/`, '').replace('mcpgw.yaml', 'the config')
      expect(err).toMatch(/^error\[[\w-]+\]: .+/m)
      expect(err).toMatch(new RegExp(`${name.replaceAll('.', '[.]')}:? belongs to uid ${STRANGER}, which is neither root nor`))
      expect(err).not.toContain('this is a bug')
      chownSync(path, 0, 0)
    }
    await (await startProduct({ dir })).stop()
  }, 60_000)
})

test.skipIf(!isBuilt || !isRoot)(
  'a gateway that is not root takes what root has mounted for it to read, and nothing that it could not have',
  async () => {
    const dir = createFolder({ 'a.policy': policy })
    const mounted = join(dir, 'mounted')
    mkdirSync(mounted)
    const config = {
      policies: ['a.policy'],
      plugins: [{ audit: { signingKey: join(mounted, 'signing-key') } }, { auth: { keys: { pepper: join(mounted, 'pepper') } } }, 'policy'],
    }
    const first = await startProduct({ dir: createFolder({ 'a.policy': policy }), config })
    await first.stop()
    for (const name of ['signing-key', 'pepper']) {
      chownSync(join(mounted, name), 0, NOBODY)
      chmodSync(join(mounted, name), 0o440)
    }
    await (await startProduct({ dir, config, uid: NOBODY })).stop()
    chownSync(join(mounted, 'pepper'), STRANGER, NOBODY)
    await expect(startProduct({ dir, uid: NOBODY })).rejects.toThrow(`pepper belongs to uid ${STRANGER}, `)
  },
  60_000,
)
