// What policies know of the past after a restart of the built product: what callers have done, yes; of which call a task is, no, and that is closed.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startHttpUpstream } from '../core/data-plane/http-upstream.ts'
import { closeAfterEach } from '../core/data-plane/opened.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct } from './product.ts'
import { codeOf, openSession, type Session } from './rpc.ts'

const opened = closeAfterEach()
const POLICY = `policy "desk" edition 1
allow tools {
  who  role support
  call up/*
}
deny no-exfil {
  call    up/send
  after   call up/read within 30m
  because "seen secrets"
}
`

describe.skipIf(!isBuilt)('a restart', () => {
  test('forgets nothing that callers have done, and takes requests about an older task for what they are: methods', async () => {
    const tools = ['read', 'send', 'slow'].map(name => `{"name":"${name}","inputSchema":{"type":"object"}}`)
    const server = await startHttpUpstream({
      capabilities: '{"tools":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}}',
      tools,
      on: {
        'tools/call': received =>
          received.result(
            received.message.params.task === undefined ? '{"content":[]}' : '{"task":{"taskId":"t-1","status":"working","ttl":60000}}',
          ),
        'tasks/get': received => received.result('{"taskId":"t-1","status":"working","ttl":60000}'),
      },
    })
    opened(server)
    const dir = createFolder({ 'a.policy': POLICY })
    const config = { servers: [{ id: 'up', url: server.url }], plugins: ['audit', 'auth', 'policy'], policies: ['a.policy'] }
    writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
    const key = runCli(['keys', 'create', 'ann', 'ann', 'support'], dir).out.trim()
    const start = async (): Promise<{ product: Product; session: Session }> => {
      const product = await startProduct({ dir })
      return { product, session: await openSession(product.origin, ['authorization', `Bearer ${key}`]) }
    }

    const first = await start()
    expect(codeOf(await first.session.call('up__send'))).toBeUndefined()
    expect(codeOf(await first.session.call('up__read'))).toBeUndefined()
    const { taskId } = (await first.session.ask('tools/call', { name: 'up__slow', arguments: {}, task: {} })).result.task
    expect((await first.session.ask('tasks/get', { taskId })).result).toMatchObject({ status: 'working' })
    await first.product.stop()

    const { product, session } = await start()
    expect(codeOf(await session.call('up__send'))).toBe('denied')
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel'])
      expect(codeOf(await session.ask(method, { taskId })), method).toBe('denied')
    expect(server.of('tasks/get')).toHaveLength(1)
    writeFileSync(join(dir, 'a.policy'), `${POLICY}allow older-tasks { who role support method up/"tasks/get" }\n`)
    product.signal('SIGHUP')
    await product.hears('policies reloaded')
    expect((await session.ask('tasks/get', { taskId })).result).toMatchObject({ status: 'working' })
    expect(codeOf(await session.ask('tasks/cancel', { taskId }))).toBe('denied')
    await product.stop()
  }, 60_000)
})
