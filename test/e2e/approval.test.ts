// An approval from end to end: two gateways on one database, a policy that asks for it, people who give it over HTTP and as a tool, and what is on record.
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readRecords } from '../postgres/records.ts'
import { createDatabase, server } from '../postgres/server.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

const POLICY = `policy "all" edition 1 owner "people@example.com"

allow work {
  who     role agent
  call    odd/*
}

require second-person {
  call    odd/echo
  when    { !has(args.text) || args.text.startsWith("big") }
  then    approval(by: "role:finance", timeout: 15m)
  because "Big ones need a second person"
}

allow decide {
  who     role finance
  call    gateway/approvals_*
}
`
const keyOf = (id: string): string => `key-of-${id}-`.padEnd(40, 'x')
const apiKey = (id: string, roles: string[], tenant = 'acme'): object => ({ id, consumerId: id, name: id, key: keyOf(id), roles, tenant })
const headers = (id: string): string[] => ['authorization', `Bearer ${keyOf(id)}`]

describe.skipIf(!isBuilt || server === undefined)('an approval', () => {
  test('is asked for at one gateway, given at another, used once, and on record; the agent cannot give it to itself', async () => {
    const url = await createDatabase()
    const shared = createFolder({ 'main.policy': POLICY })
    const dirs = [createFolder(), createFolder()]
    const gateways: Product[] = []
    for (const dir of dirs) {
      mkdirSync(join(dir, '.mcpgw'), { mode: 0o700 })
      if (gateways.length > 0) copyFileSync(join(dirs[0]!, '.mcpgw', 'audit.db.key'), join(dir, '.mcpgw', 'audit.db.key'))
      const config = {
        servers: [{ id: 'odd', ...oddServer() }],
        policies: [join(shared, 'main.policy')],
        gateway: { tools: ['approvals_*'] },
        plugins: [
          { audit: { durability: 'os', signingKey: join(shared, 'signing-key') } },
          { auth: { apiKeys: [apiKey('ann', ['agent', 'finance']), apiKey('fay', ['finance']), apiKey('gus', ['finance'], 'globex')] } },
          'approval',
          'policy',
        ],
        store: { url },
      }
      gateways.push(await startProduct({ dir, config }))
    }
    const [here, there] = gateways as [Product, Product]
    const agent = await openSession(here.origin, headers('ann'))
    const echo = async (text: string) => agent.call('odd__echo', { text })

    expect((await echo('small')).result.content[0].text).toContain('small')
    /** Id of the request; a refusal is told as a result that a model reads. */
    const hold = async (code: string): Promise<string> => {
      const { result } = await echo('big one')
      expect(result).toMatchObject({ isError: true, _meta: { 'mcpgw/refusal': { code } } })
      return /apr_[0-9a-f]{16}/.exec(result.content[0].text)![0]
    }
    const id = await hold('approval-pending')

    const say = async (who: string, what: string) => post(there.origin, '{}', { path: `/approvals/${id}/${what}`, headers: headers(who) })
    expect((await say('ann', 'approve')).status).toBe(409)
    expect((await say('gus', 'approve')).status).toBe(404)
    expect(JSON.parse((await post(there.origin, '', { method: 'GET', path: '/approvals', headers: headers('gus') })).text)).toEqual({
      requests: [],
    })
    const approver = await openSession(there.origin, headers('fay'))
    const listed = (await approver.call('gateway__approvals_list')).result.structuredContent.requests
    expect(listed).toMatchObject([
      { id, principal: 'ann', server: 'odd', name: 'echo', arguments: { text: 'big one' }, needs: ['role:finance'] },
    ])
    expect((await approver.call('gateway__approvals_approve', { id, because: 'fine' })).result.structuredContent).toMatchObject({
      state: 'approved',
    })

    expect((await echo('big one')).result.content[0].text).toContain('big one')
    const second = await hold('approval-pending')
    expect(second).not.toBe(id)
    // As the operator of the other machine.
    expect(runCli(['approvals', 'list'], dirs[1]!).out).toContain(second)
    expect(runCli(['approvals', 'reject', second, '--because', 'once is enough'], dirs[1]!).code).toBe(0)
    expect(await hold('approval-rejected')).toBe(second)

    for (const gateway of gateways) expect((await gateway.stop()).code).toBe(0)
    const records = await readRecords(dirs[0]!, url)
    const told = records.filter(({ type }) => String(type).startsWith('approval.'))
    // Each was recorded in the stream of another process.
    expect(new Map(told.map(({ type, detail }) => [(detail as { request: string }).request, type]))).toEqual(
      new Map([
        [id, 'approval.approve'],
        [second, 'approval.reject'],
      ]),
    )
    const verified = runCli(['audit', 'verify'], dirs[0]!)
    // 4: whole, as far as can be told without a checkpoint kept elsewhere.
    expect(verified, verified.out + verified.err).toMatchObject({ code: 4, out: expect.stringMatching(/^CONSISTENT/) })
  }, 120_000)
})
