// Policies over HTTP and as tools, for operators: what is in force, a check of other files, and why a call is decided as it is.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startOperations } from './operations-world.ts'
import { isBuilt } from './product.ts'

const GOOD = 'policy "p" edition 1 owner "a@b.example"\n\nallow a {\n  who  role x\n  call s/t\n}\n'

describe.skipIf(!isBuilt)('policies, asked for', () => {
  test('an operator sees what is in force, checks files, and is told why; nobody else is told that there is such a thing', async () => {
    const { callers, dir } = await startOperations()
    const { ops, admin, agent } = callers
    const { status, body } = await ops.ask('GET', '/policies')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      bundle: expect.stringMatching(/^sha256:/),
      mode: 'enforce',
      files: 1,
      rules: [
        { name: 'administration', effect: 'allow', at: 'main.policy:3' },
        { name: 'work', effect: 'allow', at: 'main.policy:8' },
      ],
      refused: [],
    })
    for (const caller of [admin, agent]) expect((await caller.ask('GET', '/policies')).status).toBeGreaterThanOrEqual(403)

    const clean = await ops.ask('POST', '/policies/check', { files: [{ file: 'new.policy', text: GOOD }] })
    expect(clean.status, JSON.stringify(clean.body)).toBe(200)
    expect(clean.body.diagnostics.filter((one: { severity: string }) => one.severity === 'error')).toEqual([])
    const broken = await ops.call('gateway__policy_check', { files: [{ file: 'new.policy', text: GOOD.replace('role x', 'rloe x') }] })
    expect(broken.structuredContent.diagnostics).toContainEqual(expect.objectContaining({ file: 'new.policy', line: 4, severity: 'error' }))
    const twice = { files: [1, 2].map(() => ({ file: 'a.policy', text: GOOD })) }
    expect(await ops.ask('POST', '/policies/check', twice)).toMatchObject({ status: 400 })

    const call = { principal: { id: 'bot', roles: ['agent'] }, call: 'odd/echo', args: {} }
    const why = await ops.ask('POST', '/policies/explain', { call })
    expect(why.body).toMatchObject({ decision: 'allow', by: ['work'], rules: [expect.objectContaining({ rule: 'work', matches: true })] })
    expect((await ops.ask('POST', '/policies/explain', { call: { ...call, principal: { id: 'x' } } })).body).toMatchObject({
      decision: 'deny',
    })
    const { status: wrong, body: told } = await ops.ask('POST', '/policies/explain', { call: { calls: 'odd/echo' } })
    expect([wrong, JSON.stringify(told)]).toEqual([400, expect.stringContaining('call')])

    // What is on disk and not in force is said, with its place.
    writeFileSync(join(dir, 'main.policy'), GOOD.replace('allow a', 'alow a'))
    await expect
      .poll(async () => (await ops.ask('GET', '/policies')).body.refused, { timeout: 30_000 })
      .toEqual([expect.stringMatching(/^main\.policy:3:1: error\[/)])
    expect((await ops.ask('GET', '/policies')).body.rules).toHaveLength(2)
  }, 120_000)
})
