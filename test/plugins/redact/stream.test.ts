// A value over two notifications of one call: the rest of it is not sent, nothing is held back, and calls do not mix.
import { harness } from 'mcpgw/testing'
import { expect, test } from 'vitest'
import redact from '../../../plugins/redact/index.ts'

type Told = readonly (readonly [method: string, params: object])[]

/** What a client gets of notifications of one call. */
async function shown(told: Told, config: object = {}): Promise<unknown[]> {
  const world = await harness({ plugins: [{ plugin: redact, config }] })
  world.upstream.on('s/talk', async (_request, reply) => {
    for (const [method, params] of told) await reply.notify(`notifications/${method}`, params as { x: string })
    return { content: [] }
  })
  const { notifications } = await world.call('s', 'talk')
  await world.stop()
  return notifications.map(one => {
    const { message, data } = one.params.value as { message?: unknown; data?: unknown }
    return message ?? data
  })
}

const progress = (message: string): Told[number] => ['progress', { progressToken: 1, progress: 1, message }]
const line = (data: unknown): Told[number] => ['message', { level: 'info', data }]

test('the half that comes second is masked, however small the parts', async () => {
  expect(await shown([progress('card 4111 1111 '), progress('1111 1111 ok')])).toEqual(['card 4111 1111 ', '[CARD] ok'])
  expect(await shown(['4111', '1111', '1111', '1111', ' done'].map(progress))).toEqual(['4111', '1111', '1111', '[CARD]', ' done'])
  expect(await shown([line('to ann@exam'), line('ple.com today')])).toEqual(['to ann@exam', '[EMAIL] today'])
})

test('streams of different kinds, and lines that hold no text, do not mix', async () => {
  expect(await shown([progress('4111 1111'), line('1111 1111'), line({ a: 1 }), progress('x')])).toEqual([
    '4111 1111',
    '1111 1111',
    { a: 1 },
    'x',
  ])
  expect(await shown([progress('4111 1111')])).toEqual(['4111 1111'])
  expect(await shown([progress('1111 1111')])).toEqual(['1111 1111'])
})

test('a word that happens to follow a whole value stays', async () => {
  expect(await shown([line('ann@example.com'), line('fine')])).toEqual(['[EMAIL]', 'fine'])
})

test('where the value blocks, the notification that ends it is not sent', async () => {
  expect(await shown([line('4111 1111'), line('1111 1111'), line('after')], { actions: { card: 'block' } })).toEqual(['4111 1111', 'after'])
})
