// Several gateways behind one address, and servers that ask a client two gateways away.
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasRedis, startRedis } from '../redis/server.ts'
import { createCapableClient, defaultAnswers } from './clients.ts'
import { keys, startWorld } from './federation-world.ts'
import { createFolder, isBuilt, startProduct, untilHealth } from './product.ts'
import { openSession, post } from './rpc.ts'
import { everything } from './servers.ts'

const OPEN = `policy "open" edition 1

allow everything {
  who   any
  call  */*
  method odd/"sampling/createMessage"
}
`

describe.skipIf(!isBuilt)('a gateway behind another', () => {
  test.skipIf(!hasRedis)(
    'what was caught is taken by none of those that share a store; while that is away they take nothing, and then go on',
    async () => {
      const redis = await startRedis()
      onTestFinished(() => redis.remove())
      const world = await startWorld({ hub: { store: { redis: redis.url } }, protocol: 'modern' })
      const second = await startProduct({ dir: createFolder(), config: world.hubConfig })
      const session = await openSession(world.edge.origin, keys.ann)
      const call = async (): Promise<string> => (await session.call('hub__odd__echo', { n: 1 })).result?.content?.[0]?.text ?? ''
      expect(await call()).toBe('{"n":1}')
      const caught = world.between.passed.findLast(({ body }) => body.includes('"tools/call"'))!
      const own = Object.entries(caught.headers).filter(([name]) => name.startsWith('mcp'))
      const again = await post(second.origin, caught.body, { path: caught.path, headers: own.flat() })
      expect([again.status, again.headers['www-authenticate']]).toEqual([401, 'mcpgw-caller error="replayed"'])
      await redis.kill()
      await expect.poll(call, { timeout: 15_000 }).toBe('the gateway could not check this request')
      await untilHealth(world.hub.origin, ({ components }) =>
        components.some(({ why }) => why?.includes('other gateways are refused') === true),
      )
      await redis.start()
      await expect.poll(call, { timeout: 30_000, interval: 300 }).toBe('{"n":1}')
    },
    90_000,
  )

  test.each(['modern', 'legacy'] as const)(
    'a server asks the client of its call through both (%s)',
    async protocol => {
      const policies = [`${createFolder({ 'open.policy': OPEN })}/open.policy`]
      const world = await startWorld({ hub: { servers: [{ id: 'odd', ...everything() }], policies }, protocol })
      const client = createCapableClient(defaultAnswers())
      onTestFinished(() => client.close())
      const headers = { authorization: keys.ann[1]! }
      await client.connect(new StreamableHTTPClientTransport(new URL(`${world.edge.origin}/mcp`), { requestInit: { headers } }))
      const steps: number[] = []
      const long = { name: 'hub__odd__trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }
      await client.callTool(long, undefined, { onprogress: ({ progress }) => void steps.push(progress) })
      expect(steps).toEqual([1, 2, 3])
      const asked = await client.callTool({ name: 'hub__odd__trigger-sampling-request', arguments: { prompt: 'how many?', maxTokens: 7 } })
      expect(JSON.stringify(asked)).toContain('sampled text')
    },
    60_000,
  )
})
