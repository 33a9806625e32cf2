// What happens while a call is under way: progress, cancellation, log messages; and ping.
import {
  type LoggingMessageNotification,
  LoggingMessageNotificationSchema,
  type ProgressNotification,
  ProgressNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { collectNotifications, createPlainClient, type Inbox } from './clients.ts'
import { everything, waitingServer } from './servers.ts'
import { describeEachWay, useConnection } from './ways.ts'

describeEachWay('while a call is under way', way => {
  let logs: Inbox<LoggingMessageNotification>
  let progress: Inbox<ProgressNotification>
  let waits: Inbox<ProgressNotification>
  const connection = useConnection(way, {
    servers: () => ({ everything: everything(), waiting: waitingServer() }),
    client(server) {
      const client = createPlainClient()
      const received = collectNotifications<ProgressNotification>(client, ProgressNotificationSchema)
      if (server !== 'everything') waits = received
      if (server === 'waiting') return client
      progress = received
      logs = collectNotifications(client, LoggingMessageNotificationSchema)
      return client
    },
  })

  /** What the waiting server was told; asked again until `done`, for a cancellation is not answered. */
  async function report(done: (seen: { cancelled: { call: string; reason?: string }[]; waiting: number }) => boolean) {
    const { client, named } = connection().link('waiting')
    for (;;) {
      const { content } = (await client.callTool({ name: named('report') })) as { content: { text: string }[] }
      const seen = JSON.parse(content[0]?.text ?? '')
      if (done(seen)) return seen
    }
  }

  /** A call that waits, once its progress shows that it has reached the server. */
  async function startWaiting(call: string) {
    const { client, named } = connection().link('waiting')
    const controller = new AbortController()
    const params = { name: named('wait'), arguments: { call }, _meta: { progressToken: call } }
    const result = client.callTool(params, undefined, { signal: controller.signal })
    result.catch(() => {})
    const seen = (await waits.take(notification => notification.params.progressToken === call)).params
    return { controller, result, seen }
  }

  /** Starts an operation with a token of our own and gives the progress that came for it. */
  async function watchOperation(progressToken: string | number, steps: number) {
    const { client, named } = connection().link('everything')
    const args = { duration: 0.3, steps }
    const result = client.callTool({ name: named('trigger-long-running-operation'), arguments: args, _meta: { progressToken } })
    const seen: ProgressNotification['params'][] = []
    for (let step = 1; step <= steps; step++)
      seen.push((await progress.take(({ params }) => params.progressToken === progressToken)).params)
    await result
    return seen
  }

  test('progress comes in order and whole, with the token of the client', async () => {
    expect(await watchOperation('a token', 3)).toEqual([1, 2, 3].map(step => ({ progressToken: 'a token', progress: step, total: 3 })))
  })

  test('progress of calls at the same time goes to the right one, and a token keeps its type', async () => {
    const tokens = [7_000, '7000', 'third']
    const seen = await Promise.all(tokens.map((token, index) => watchOperation(token, index + 2)))
    expect(seen.map(all => all.map(({ progress: step, total }) => [step, total]))).toEqual([
      [1, 2].map(step => [step, 2]),
      [1, 2, 3].map(step => [step, 3]),
      [1, 2, 3, 4].map(step => [step, 4]),
    ])
  })

  test('a cancellation reaches the server, with its reason, for that call alone', async () => {
    const one = await startWaiting('one')
    const two = await startWaiting('two')
    expect(one.seen).toEqual({ progressToken: 'one', progress: 1, total: 2, message: 'waiting' })
    one.controller.abort('not needed any more')
    await expect(one.result).rejects.toThrow(/not needed any more/)
    const seen = await report(({ cancelled }) => cancelled.length > 0)
    expect(seen).toEqual({ cancelled: [{ call: 'one', reason: expect.stringContaining('not needed any more') }], waiting: 1 })
    two.controller.abort('done')
    await report(({ waiting }) => waiting === 0)
  })

  test('log messages come at the level that was set', async () => {
    const { client } = connection().link('everything')
    await client.setLoggingLevel('error')
    await client.subscribeResource({ uri: 'demo://resource/dynamic/text/71' })
    await client.setLoggingLevel('info')
    await client.subscribeResource({ uri: 'demo://resource/dynamic/text/72' })
    const first = await logs.take(({ params }) => String(params.data).includes('/text/7'))
    expect(first.params).toMatchObject({ level: 'info', data: expect.stringContaining('/text/72') })
  })

  test('ping is answered', async () => {
    expect(await connection().link('everything').client.ping()).toEqual({})
  })
})
