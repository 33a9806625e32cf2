// An operation whose answer is a secret: every plugin knows it of the call, nobody else can say it, and `call` does not pass it on.
import { expect, it } from 'vitest'
import * as z from 'zod'
import { defineOperation, type Resource } from '../../../core/plugin/index.ts'
import { connectHttp } from '../data-plane/clients.ts'
import { plugin, startTestGateway } from '../data-plane/gateway.ts'
import { startHttpUpstream } from '../data-plane/http-upstream.ts'
import { closeAfterEach } from '../data-plane/opened.ts'

const opened = closeAfterEach()

const mint = defineOperation({
  name: 'mint',
  summary: 'Makes something secret.',
  route: 'POST /mint',
  effect: 'changes',
  scope: 'tenant',
  secret: true,
  input: z.strictObject({}),
  output: z.object({ key: z.string() }),
  perform: async () => ({ kind: 'done', value: { key: 'the-new-key' } }),
})

async function world() {
  const seen: { resource: Resource; answer: string }[] = []
  const watching = plugin('watches', ['decides'], {
    onRequest: () => ({ kind: 'allow', rules: [], obligations: [] }),
    onResponse({ resource }, { payload }) {
      if (resource.kind === 'call') seen.push({ resource, answer: payload.text })
      return { kind: 'pass' }
    },
  })
  const upstream = opened(await startHttpUpstream({ tools: ['{"name":"mint","inputSchema":{"type":"object"},"_meta":{"secret":true}}'] }))
  const gateway = { tools: ['*'], operators: [] }
  const test = opened(await startTestGateway({ servers: [upstream.server('up')], gateway, operations: [mint], plugins: [watching] }))
  const client = await connectHttp(test)
  const call = async (name: string, args: object = {}) => (await client.ask('tools/call', { name, arguments: args })).result
  return { seen, call, base: test.url.replace(/\/mcp$/, '') }
}

it('is known of the call to every plugin, as a tool and by its route', async () => {
  const { seen, call, base } = await world()
  expect((await call('gateway__mint')).structuredContent).toEqual({ key: 'the-new-key' })
  const answer = await fetch(`${base}/mint`, { method: 'POST', headers: { 'content-type': 'application/json' } })
  expect(await answer.json()).toEqual({ key: 'the-new-key' })
  expect(seen.map(({ resource }) => resource)).toEqual(
    [1, 2].map(() => expect.objectContaining({ server: 'gateway', tool: 'mint', secret: true })),
  )
})

it('is none of a server, whatever that says of its tool', async () => {
  const { seen, call } = await world()
  await call('up__mint')
  expect(seen.map(({ resource }) => 'secret' in resource)).toEqual([false])
})

it('is not given by `call`, whose answer is kept as any other', async () => {
  const { seen, call } = await world()
  const result = await call('gateway__call', { tool: 'gateway__mint' })
  expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'invalid-arguments', field: 'tool' } } })
  await call('gateway__call', { tool: 'gateway__call', arguments: { tool: 'gateway__mint' } })
  expect(JSON.stringify(seen)).not.toContain('the-new-key')
})
