// Who reads the durable record, and how far each is: asked of running plugins and of a config alone; who cannot tell is no small matter.
import type { PluginContext, RecordReaderIo } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import { findReaders } from '../../core/kernel/readers.ts'
import { boot, isBootFailure } from '../../core/kernel.ts'
import { type AnyPlugin, createFakeClock } from '../../core/testing/index.ts'
import { plug } from './define.ts'

const stores = { resolve: (path: string) => path } as PluginContext['stores']
const log = { debug() {}, info() {}, warn() {}, error() {} }
const reads = plug(
  'reads',
  [],
  {},
  { readThrough: async ({ config, stores: at }: RecordReaderIo) => new Map([[at.resolve('a'), config as number]]) },
)
const entry = (plugin: AnyPlugin, config: unknown = 7) => ({ name: plugin.name, plugin, config })

async function askRunning(...others: AnyPlugin[]): Promise<Awaited<ReturnType<PluginContext['readers']>>> {
  let ask: PluginContext['readers'] | undefined
  const asks = plug(
    'asks',
    [],
    {},
    {
      setup(ctx) {
        ask = () => ctx.readers()
        return {}
      },
    },
  )
  const host = { log, clock: createFakeClock(), stores, instance: { id: 'i', boot: 'b', version: '1' } }
  const kernel = await boot({ plugins: [entry(asks), ...others.map(one => entry(one))], limits: { hookMs: 100 } }, host)
  if (isBootFailure(kernel)) throw new Error(JSON.stringify(kernel.findings))
  try {
    return await ask!()
  } finally {
    await kernel.stop()
  }
}

test('of running plugins, also of those that come later, and of a config: each that reads says how far it is, by its own config and stores', async () => {
  const told = [{ plugin: 'reads', through: new Map([['a', 7]]) }]
  expect(await askRunning(plug('other', []), reads)).toEqual(told)
  expect(await findReaders([entry(plug('other', [])), entry(reads)], '/', stores)).toEqual(told)
  expect(await askRunning()).toEqual([])
})

test('one that cannot tell, and one that does not load, is an error', async () => {
  const broken = plug(
    'broken',
    [],
    {},
    {
      readThrough: () => {
        throw new Error('the disk is gone')
      },
    },
  )
  const why = 'broken cannot tell how far it has read the record: the disk is gone'
  await expect(askRunning(reads, broken)).rejects.toThrow(why)
  await expect(findReaders([entry(reads), entry(broken)], '/', stores)).rejects.toThrow(why)
  await expect(findReaders([entry(reads), { name: './none.js', config: {} }], '/', stores)).rejects.toThrow('none.js')
  const wrong = { ...reads, readThrough: 1 } as unknown as AnyPlugin
  await expect(findReaders([entry(wrong)], '/', stores)).rejects.toThrow('readThrough must be a function')
})
