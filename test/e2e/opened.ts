// What a caller has open at the built product, of each era: a stream of notifications, and a call that is never answered.
import { expect } from 'vitest'
import { connectHttp, type Exchanged, type Streaming } from '../core/data-plane/clients.ts'
import { visitHttp } from '../core/data-plane/stateless-client.ts'
import type { Product } from './product.ts'
import { initialize, post } from './rpc.ts'

export interface Opened {
  /** Their ends. */
  readonly all: readonly Promise<Exchanged>[]
  /** The statuses of what comes next: a ping, a stream, a session, a list without a session. */
  next(): Promise<(number | undefined)[]>
}

/** Of a server `odd`. */
export async function openAll(product: Product, key: string): Promise<Opened> {
  const gateway = { port: Number(new URL(product.origin).port) } as Parameters<typeof connectHttp>[0]
  const headers = { authorization: `Bearer ${key}` }
  const client = await connectHttp(gateway, { headers })
  const stream = await client.listen()
  const calling = client.start('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"odd__hang","arguments":{}}}')
  const visitor = visitHttp(gateway, { headers })
  const listening = await visitor.start('subscriptions/listen', { notifications: { toolsListChanged: true } })
  await listening.next()
  const visiting = visitor.start('tools/call', { name: 'odd__hang', arguments: {} })
  expect([stream.status, listening.status]).toEqual([200, 200])
  const ended = async (one: Promise<Streaming>): Promise<Exchanged> => (await one).done
  return {
    all: [stream.done, listening.done, ended(calling), ended(visiting)],
    next: async () => [
      // The session is gone, which is what the client is told before it has to open another.
      (await client.post('{"jsonrpc":"2.0","id":9,"method":"ping"}')).status,
      await client.listen().then(({ status }) => status),
      (await post(product.origin, initialize(), { headers: ['Authorization', headers.authorization] })).status,
      (await visitor.ask('tools/list')).status,
    ],
  }
}
