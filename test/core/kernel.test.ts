// Boot and stop: in order and in reverse, within a time, and with nothing left behind where it fails.
import { expect, test } from 'vitest'
import { type BootFailure, boot, type Host, isBootFailure, type Kernel, renderReport, tokens } from '../../core/kernel.ts'
import { type Hooks, type PluginContext, pass, service } from '../../core/plugin/index.ts'
import { type AnyPlugin, createFakeClock } from '../../core/testing/index.ts'
import { plug } from './define.ts'

const Numbers = service<number[]>('numbers')

function open() {
  const events: string[] = []
  const clock = createFakeClock()
  const log = {
    debug() {},
    info() {},
    warn: (message: string) => void events.push(`warn ${message}`),
    error: (message: string) => void events.push(`error ${message}`),
  }
  const host: Host = {
    clock,
    log,
    stores: {} as Host['stores'],
    instance: { id: 'i', boot: 'b', version: '1.2.3' },
    setupMs: 1_000,
    scrub: text => text.replaceAll('hunter2', '***'),
  }
  const tell = (name: string, hooks: Hooks = {}, more: Parameters<typeof plug>[3] = {}): AnyPlugin =>
    plug(
      name,
      ['decides'],
      {},
      {
        setup(ctx) {
          events.push(`setup ${name}`)
          ctx.onStop(() => void events.push(`stop ${name} 1`))
          ctx.onStop(async () => void events.push(`stop ${name} 2`))
          return { start: () => void events.push(`start ${name}`), ...hooks }
        },
        ...more,
      },
    )
  const run = (...plugins: AnyPlugin[]): Promise<Kernel | BootFailure> =>
    boot({ plugins: plugins.map(plugin => ({ name: plugin.name, plugin, config: {} })), limits: { hookMs: 100 } }, host)
  return { events, clock, tell, run, host }
}

async function booted(result: Promise<Kernel | BootFailure>): Promise<Kernel> {
  const kernel = await result
  if (isBootFailure(kernel)) throw new Error(JSON.stringify(kernel.findings))
  return kernel
}

test('plugins are set up and then started in order, and stopped in reverse', async () => {
  const { events, tell, run } = open()
  const kernel = await booted(run(tell('a'), tell('b')))
  expect(events.splice(0)).toEqual(['setup a', 'setup b', 'start a', 'start b'])
  const [first, second] = [kernel.stop(), kernel.stop()]
  expect(await first).toEqual({ pending: [], failed: [] })
  expect(await second).toBe(await first)
  expect(events).toEqual(['stop b 2', 'stop b 1', 'stop a 2', 'stop a 1'])
})

test.each<[string, Parameters<typeof plug>[3], string]>([
  [
    'throws in setup',
    {
      setup: () => {
        throw new Error('no disk')
      },
    },
    'setup of bad failed: no disk',
  ],
  ['rejects in setup', { setup: () => Promise.reject(new Error('no disk')) }, 'setup of bad failed: no disk'],
  ['returns no hooks', { setup: () => undefined as never }, 'setup of bad failed: setup returned no hooks'],
  [
    'returns an unknown hook',
    { setup: () => ({ onReqest: () => pass }) as never },
    'setup of bad failed: there is no hook "onReqest"; did you mean "onRequest"?',
  ],
  [
    'declares obligations without a discharge',
    { discharges: ['x'] },
    'setup of bad failed: it declares obligations but has no hook "discharge"',
  ],
  ['does not provide what it declared', { provides: [Numbers] }, 'setup of bad did not provide "numbers"'],
  [
    'throws in start',
    {
      setup: () => ({
        start: () => {
          throw new Error('no port')
        },
      }),
    },
    'start of bad failed: no port',
  ],
])('a plugin that %s stops the start, is named, and what was set up is let go', async (_what, more, message) => {
  const { events, tell, run } = open()
  expect(await run(tell('a'), plug('bad', [], {}, more))).toMatchObject({ findings: [{ code: 'plugin-setup', plugin: 'bad', message }] })
  expect(events.filter(event => event.startsWith('stop'))).toEqual(['stop a 2', 'stop a 1'])
})

test('a setup that hangs stops the start in time, and what it acquires later is let go at once', async () => {
  const { events, clock, tell, run } = open()
  let finish = () => {}
  const slow = plug(
    'slow',
    [],
    {},
    {
      async setup(ctx) {
        await new Promise<void>(resolve => {
          finish = resolve
        })
        ctx.onStop(() => void events.push('stop slow'))
        return {}
      },
    },
  )
  const booting = run(tell('a'), slow)
  await clock.advance(1_000)
  expect(await booting).toMatchObject({ findings: [{ message: 'setup of slow was not done within 1000 ms' }] })
  finish()
  await clock.advance(0)
  expect(events).toEqual(['setup a', 'stop a 2', 'stop a 1', 'stop slow'])
})

test('a plugin that fails or hangs at stop is named, and the others are stopped all the same', async () => {
  const { events, clock, tell, run } = open()
  const stuck = (name: string, release: () => Promise<void>) =>
    plug(
      name,
      [],
      {},
      {
        setup: ctx => {
          ctx.onStop(release)
          return {}
        },
      },
    )
  const kernel = await booted(
    run(
      tell('a'),
      stuck('hangs', () => new Promise(() => {})),
      stuck('fails', () => Promise.reject(new Error('x'))),
    ),
  )
  const stopping = kernel.stop()
  await clock.advance(1_000)
  expect((await stopping).failed).toMatchObject([{ plugin: 'fails' }, { plugin: 'hangs', why: 'not done within 1000 ms' }])
  expect(events).toContain('stop a 1')
})

test('every plugin that cannot be loaded is named in one go, and nothing is set up', async () => {
  const { events, tell, run } = open()
  const broken = (name: string) => ({ ...plug(name, []), capabilities: ['flies'] }) as never
  expect(await run(tell('a'), broken('b'), broken('c'))).toMatchObject({ findings: [{ plugin: 'b' }, { plugin: 'c' }] })
  expect(await run(tell('a'), tell('a'))).toMatchObject({ findings: [{ code: 'plugin-twice' }] })
  expect(events).toEqual([])
})

test('a plugin uses the services that it declared, finds those that may be absent, and provides what it said', async () => {
  const { run } = open()
  const seen: unknown[] = []
  const wrong = (act: (ctx: PluginContext) => unknown) => act
  const provider = plug(
    'provider',
    [],
    {},
    {
      provides: [Numbers],
      setup: ctx => {
        ctx.provide(Numbers, [1])
        return {}
      },
    },
  )
  const user = plug(
    'user',
    [],
    {},
    {
      requires: [Numbers],
      setup: ctx => {
        seen.push(ctx.use(Numbers), ctx.find(service('absent')), ctx.order, ctx.open, ctx.scrub('hunter2'))
        return {}
      },
    },
  )
  await booted(run(provider, user))
  expect(seen).toEqual([[1], undefined, ['provider', 'user'], true, '***'])
  for (const [act, message] of [
    [wrong(ctx => ctx.use(Numbers)), '"numbers" is not among what p requires'],
    [wrong(ctx => ctx.provide(Numbers, [])), '"numbers" is not among what p provides'],
  ] as const) {
    expect(
      await run(
        plug(
          'p',
          [],
          {},
          {
            setup: ctx => {
              act(ctx)
              return {}
            },
          },
        ),
      ),
    ).toMatchObject({ findings: [{ message: `setup of p failed: ${message}` }] })
  }
})

test('a plugin shows its condition in health, without secrets, and measures under its own name', async () => {
  const { run } = open()
  let ctx: PluginContext | undefined
  const kernel = await booted(
    run(
      plug(
        'rate-limit',
        [],
        {},
        {
          setup: given => {
            ctx = given
            return {}
          },
        },
      ),
    ),
  )
  ctx!.health({ status: 'failing', why: 'login hunter2 refused' })
  ctx!.metrics.counter('refused_total', 'Refused.').inc()
  expect(kernel.health.view()).toMatchObject({ status: 'failing', components: [{ name: 'rate-limit', why: 'login *** refused' }] })
  expect(kernel.metrics.render()).toContain('mcpgw_rate_limit_refused_total 1')
  expect(kernel.services.get(tokens.pipeline)).toBe(kernel.pipeline)
})

test('the report shows the order, what each plugin may do, and whether the gateway is open', async () => {
  const { run, tell } = open()
  const masker = plug('redact', ['masks'], { discharge: () => pass }, { discharges: ['redact'] })
  const show = (kernel: Kernel) => renderReport(kernel.report).replace(/\d+ ms/g, 'N ms')
  expect(show(await booted(run(tell('policy'), masker)))).toBe(
    [
      'mcpgw 1.2.3  N ms',
      '├─ policy  given  decides  N ms (load N ms, setup N ms, start N ms)',
      '└─ redact  given  masks, discharges redact  N ms (load N ms, setup N ms, start N ms)',
    ].join('\n'),
  )
  expect(show(await booted(run(masker)))).toBe(
    [
      'mcpgw 1.2.3  N ms',
      '├─ redact  given  masks, discharges redact  N ms (load N ms, setup N ms, start N ms)',
      '└─ open: no loaded plugin decides, every call is let through',
    ].join('\n'),
  )
})
