// Case 12: who reads the log as tenant B sees what is B's, by every command that shows contents; and that it was read is on record.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords } from './records.ts'
import { openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const POLICY = `policy "all" edition 1 owner "people@acme.example"

allow all {
  who   role reader
  call  odd/echo
}
`
const TENANTS = ['acme', 'blake']
const config = { servers: [{ id: 'odd', ...oddServer() }], policies: ['a.policy'], plugins: ['audit', 'auth', 'policy', 'meter'] }

/** Each tenant makes a call and is refused one; somebody without a key is refused, too. */
async function liveTogether(): Promise<string> {
  const dir = createFolder({ 'a.policy': POLICY })
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
  const keys = TENANTS.map(tenant => {
    const { out } = runCli(['keys', 'create', `of ${tenant}`, `agent-of-${tenant}`, 'reader', '--tenant', tenant, '--json'], dir)
    return (JSON.parse(out) as { key: string }).key
  })
  const product = await startProduct({ dir })
  for (const [i, tenant] of TENANTS.entries()) {
    const session = await openSession(product.origin, ['Authorization', `Bearer ${keys[i]!}`])
    await session.call('odd__echo', { secret: `plans of ${tenant}` })
    await session.call('odd__pid')
  }
  await post(product.origin, '{}', {})
  await product.stop()
  return dir
}

describe.skipIf(!isBuilt)('tenants in one log', () => {
  test('a reader held to one sees nothing of the other, and the read is on record', { timeout: 120_000 }, async () => {
    const dir = await liveTogether()
    const others = readRecords(dir).filter(one => one.tenant !== 'blake')
    const read = (...words: string[]) => runCli(['audit', ...words, '--tenant', 'blake'], dir)
    const shown = [
      ['log', '--all', '--json', '--limit', '1000'],
      ['log', '--all'],
      ['log', '--text', 'rule'],
      ['stats'],
      ['stats', '--json'],
      ['export', '--format', 'csv', '--contents'],
      ['export', '--format', 'csv', '--status', 'refused'],
    ].map(words => read(...words))
    const usage = ['consumer', 'server', 'tool', 'tenant'].map(by =>
      runCli(['usage', '--by', by, '--tenant', 'blake', '--period', `${day(-1)}..${day(1)}`, '--format', 'json'], dir),
    )
    for (const { code, out } of [...shown, ...usage]) {
      expect(code).toBe(0)
      expect(out).not.toMatch(/acme|gateway\.start|cli:/)
    }
    expect(usage[0]!.out).toContain('agent-of-blake')
    const all = (JSON.parse(shown[0]!.out) as { records: { tenant: string; type: string }[] }).records
    expect(all.map(one => one.type).sort()).toEqual(readTypes(dir, 'blake'))
    expect(JSON.parse(shown[4]!.out)).toMatchObject({ calls: 1, refused: 1, consumers: [{ name: 'agent-of-blake' }] })
    for (const { stream, seq, callId } of [others[0]!, others.find(one => one.tenant === 'acme' && one.callId !== undefined)!])
      for (const id of [`${stream}:${seq}`, ...(callId === undefined ? [] : [callId])])
        expect(read('prove', id)).toMatchObject({ code: 1, out: '', err: `audit prove: there is no record ${id}\n` })
    const reads = readRecords(dir).filter(one => one.type === 'log.read')
    expect(reads).toHaveLength(10)
    for (const { actor, detail } of reads) {
      expect(actor?.id).toMatch(/^cli:/)
      expect(detail?.options).toMatchObject({ tenant: 'blake' })
    }
    expect(runCli(['audit', 'verify'], dir).code).toBe(4)
  })
})

/** As a date, so many days from today. */
const day = (from: number): string => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10)

function readTypes(dir: string, tenant: string): string[] {
  return readRecords(dir)
    .filter(one => one.tenant === tenant)
    .map(one => one.type)
    .sort()
}
