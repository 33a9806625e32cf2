// Rules 6 and 7 of the plugin contract: lists are narrowed, notifications cleared one by one.
import { expect, test } from 'vitest'
import { type Capability, drop, type Hooks, narrow, pass, rewrite } from '../../../core/plugin/index.ts'
import { harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'

test('a list shows what every plugin keeps; a plugin that fails or may not narrow takes the list with it', async () => {
  const items = ['a', 'b', 'c'].map(name => ({ server: 's', name, definition: undefined as never }))
  const ask = async (...hooks: [Capability[], NonNullable<Hooks['onList']>][]) => {
    const world = await harness({ plugins: hooks.map(([can, onList], i) => plug(`p${i}`, can, { onList })) })
    const { exchange } = await world.send('tools/list', { kind: 'list', of: 'tools' })
    return world.kernel.pipeline.narrow(exchange, items)
  }
  expect(
    await ask(
      [['narrows-list'], () => narrow([true, true, false])],
      [[], () => pass],
      [['narrows-list'], () => narrow([false, true, true])],
    ),
  ).toEqual([false, true, false])
  const refused = { code: 'plugin-failed' }
  expect(await ask([[], () => narrow([true, true, true])])).toMatchObject(refused)
  expect(await ask([['narrows-list'], () => narrow([true])])).toMatchObject(refused)
  expect(await ask([['narrows-list'], () => ({ kind: 'narrow', keep: [true, 'yes', true] }) as never])).toMatchObject(refused)
  expect(
    await ask([
      [],
      () => {
        throw new Error('x')
      },
    ]),
  ).toMatchObject(refused)
})

test('notifications pass in reverse order and are sent, changed or dropped; one that cannot be cleared is not sent', async () => {
  const order: string[] = []
  const verdicts: Record<string, () => unknown> = {
    keep: () => pass,
    drop: () => drop,
    mask: () => rewrite({ text: '[x]' }),
    grow: () => rewrite({ text: 'x', more: [1] }),
    throw: () => {
      throw new Error('x')
    },
  }
  const first = plug('first', [], {
    onNotification: () => {
      order.push('first')
      return pass
    },
  })
  const redact = plug('redact', ['masks'], {
    onNotification: (_x, { params }) => {
      order.push('redact')
      return verdicts[(params.value as { text: string }).text]!() as never
    },
  })
  const world = await harness({ plugins: [first, redact] })
  world.upstream.on('s', async (_request, reply) => {
    for (const text of Object.keys(verdicts)) await reply.notify('notifications/message', { text })
    return { content: [] }
  })
  const { notifications } = await world.call('s', 't')
  expect(notifications.map(({ params }) => params.value)).toEqual([{ text: 'keep' }, { text: '[x]' }])
  expect(order).toEqual(['redact', 'first', 'redact', 'redact', 'first', 'redact', 'redact'])
})
