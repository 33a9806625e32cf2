// A receiver that fails in every way while the gateway is killed again and again: every record arrives, in order, and is acknowledged; no call notices.
// MCPGW_CHAOS=full runs 100 rounds.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { type Behaviour, type Delivery, startReceiver } from '../plugins/audit/exports/receiver.ts'
import { startLoad } from './load.ts'
import { expectProven } from './whole-log.ts'

const ROUNDS = process.env.MCPGW_CHAOS === 'full' ? 100 : 8
const MINUTES = 60_000
const BEHAVIOURS: readonly Behaviour[] = ['good', 'good', 'good', 'error', 'bad-request', 'late', 'silent', 'cut', 'nonsense']
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!

interface Arrived {
  readonly stream: string
  readonly seq: number
}

const recordsOf = ({ body }: Delivery): Arrived[] => {
  const lines = body.split('\n')
  return lines.flatMap(line => (line === '' ? [] : [JSON.parse(line) as Arrived]))
}

describe.skipIf(!isBuilt)('an export to a receiver that fails, from a gateway that is killed', () => {
  test(
    'brings every record at least once, those of a stream in order, and leaves none out',
    async () => {
      const dir = createFolder()
      const receiver = await startReceiver()
      const audit = { exports: [{ webhook: receiver.url, timeout: 300 }], checkpoints: { records: 20, every: '1s' } }
      const config = {
        servers: [{ id: 'odd', ...oddServer() }],
        plugins: [{ audit: { ...audit, anchors: [{ file: `${dir}/anchor.txt` }] } }],
      }
      const answered: string[] = []
      for (let round = 1; round <= ROUNDS; round++) {
        receiver.behave(() => pick(BEHAVIOURS))
        const product = await startProduct({ dir, config })
        const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: `round${round}`, perSecond: 100, atOnce: 32 })
        await load.answers(10)
        await new Promise(resolve => setTimeout(resolve, Math.random() * 2500))
        product.signal('SIGKILL')
        await load.end()
        await product.exited
        expect([...load.failed.keys()].filter(code => code !== 'cut')).toEqual([])
        answered.push(...load.answered)
      }
      receiver.behave('good')
      const last = await startProduct({ dir, config })
      await last.stop()
      const written = expectProven(dir, answered)
      // The reader's own records came after the last gateway had ended.
      const readers = new Set(written.flatMap(({ type, stream }) => (type.startsWith('log.') ? [stream] : [])))
      expectWhole(
        receiver.got,
        written.filter(({ stream }) => !readers.has(stream)),
      )
      expect(receiver.got.some(one => !one.acknowledged)).toBe(true)
    },
    10 * MINUTES,
  )
})

function expectWhole(got: readonly Delivery[], written: readonly Arrived[]): void {
  const reached = new Map<string, number>()
  for (const { stream, seq } of got.flatMap(recordsOf)) {
    // What comes for the first time comes behind all that is before it.
    expect(seq, stream).toBeLessThanOrEqual((reached.get(stream) ?? 0) + 1)
    reached.set(stream, Math.max(seq, reached.get(stream) ?? 0))
  }
  const acknowledged = new Set(
    got
      .filter(one => one.acknowledged)
      .flatMap(recordsOf)
      .map(({ stream, seq }) => `${stream}:${seq}`),
  )
  expect(written.map(({ stream, seq }) => `${stream}:${seq}`).filter(id => !acknowledged.has(id))).toEqual([])
}
