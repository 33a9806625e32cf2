// Who is turned away at the door is on record, and ten thousand tries fill a few lines of it, not the disk.
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords, type ShownRecord, verify } from './records.ts'
import { initialize, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const TRIES = 10_000
const AT_ONCE = 50
const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit', 'auth', 'redact'] }

/** How often this was refused, by the record. */
function countOf(records: readonly ShownRecord[], code: string): number {
  return refusalsOf(records, code).reduce((sum, { count = 1 }) => sum + count, 0)
}

function refusalsOf(records: readonly ShownRecord[], code: string): readonly ShownRecord[] {
  return records.filter(({ type, decision }) => type.startsWith('refusal') && decision?.code === code)
}

describe.skipIf(!isBuilt)('refusals', () => {
  test(`of ${TRIES} bad keys are counted to the last one, in a record for each ten seconds`, { timeout: 120_000 }, async () => {
    const dir = createFolder()
    const made = runCli(['keys', 'create', 'An agent', 'agent-1', 'reader', '--json'], dir)
    const { key } = JSON.parse(made.out) as { key: string }
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin, ['Authorization', `Bearer ${key}`])
    const tried: string[] = []
    let looked = 0
    const began = Date.now()
    const attack = async (): Promise<void> => {
      while (tried.length < TRIES) {
        const bad = `mcpgw_${randomBytes(16).toString('hex')}`
        tried.push(bad)
        const { status } = await post(product.origin, initialize(), { headers: ['Authorization', `Bearer ${bad}`] })
        expect([401, 429]).toContain(status)
        if (status === 401) looked++
      }
    }
    await Promise.all([...Array.from({ length: AT_ONCE }, attack), session.call('odd__echo', { while: 'under attack' })])
    const windows = Math.ceil((Date.now() - began) / 10_000)
    expect((await product.stop()).code).toBe(0)

    const records = readRecords(dir)
    // Most are not even looked at: 60 at once, and one a second.
    expect(looked).toBeLessThan(TRIES / 10)
    expect([countOf(records, 'bad-credential'), countOf(records, 'too-many-failures')]).toEqual([looked, tried.length - looked])
    // The first, one at the end of each window, and one at the stop.
    for (const code of ['bad-credential', 'too-many-failures']) expect(refusalsOf(records, code).length).toBeLessThanOrEqual(windows + 2)
    expect(records).toContainEqual(expect.objectContaining({ type: 'outcome', outcome: 'answered' }))
    const text = JSON.stringify(records)
    expect(tried.filter(bad => text.includes(bad) || product.said().includes(bad))).toEqual([])
    expect(verify(dir).code).toBe(4)
  })

  test('to start are on record with the digest of the config, though no gateway ever ran', () => {
    const dir = createFolder()
    const text = JSON.stringify({ servers: [], policies: ['a.policy'], plugins: ['audit', 'auth', 'redact'] })
    writeFileSync(join(dir, 'mcpgw.yaml'), text)
    expect(runCli(['run', '--http', '127.0.0.1:0'], dir).code).toBe(2)
    expect(readRecords(dir)).toContainEqual(
      expect.objectContaining({
        type: 'config.refused',
        success: false,
        actor: expect.objectContaining({ method: 'os-user' }),
        detail: {
          files: [{ file: 'mcpgw.yaml', digest: `sha256:${createHash('sha256').update(text).digest('hex')}` }],
          findings: [{ code: 'unenforced', message: 'no loaded plugin enforces policies' }],
        },
      }),
    )
    expect(verify(dir).code).toBe(4)
  })

  test('before any exchange are records as well, with status, path and source', async () => {
    const dir = createFolder()
    const product = await startProduct({ dir, config })
    const refused = async (how: Parameters<typeof post>[2], body = initialize()): Promise<number> =>
      (await post(product.origin, body, how)).status
    expect(await refused({ path: '/nowhere?token=hunter2' })).toBe(404)
    expect(await refused({ headers: ['origin', 'https://evil.example'] })).toBe(403)
    expect(await refused({ method: 'PUT' })).toBe(405)
    expect(await refused({}, '{"hunter2')).toBe(400)
    expect(await refused({ headers: ['mcp-session-id', 'hunter2'] }, '{"jsonrpc":"2.0","id":1,"method":"ping"}')).toBe(404)
    await product.stop()
    const found = readRecords(dir).filter(({ type }) => type === 'refusal')
    expect(found.map(({ decision, http }) => [decision?.code, http?.status, http?.path])).toEqual([
      ['not-found', 404, '/nowhere'],
      ['forbidden-host', 403, '/mcp'],
      ['method-not-allowed', 405, '/mcp'],
      ['parse-error', 400, '/mcp'],
      ['session-unknown', 404, '/mcp'],
    ])
    expect(found.every(({ source }) => source?.ip === '127.0.0.1')).toBe(true)
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })
})
