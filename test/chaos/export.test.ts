// A receiver that fails in every way while the gateway is killed again and again: every record arrives, in order, and is acknowledged; no call notices.
// MCPGW_CHAOS=full runs 100 rounds.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { type Behaviour, type Delivery, startReceiver } from '../plugins/audit/exports/receiver.ts'
import { answerUntilKilled, endInPeace, pick, ROUNDS } from './exporting.ts'

const MINUTES = 60_000
const BEHAVIOURS: readonly Behaviour[] = ['good', 'good', 'good', 'error', 'bad-request', 'late', 'silent', 'cut', 'nonsense']

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
        answered.push(...(await answerUntilKilled(dir, config, `round${round}`)))
      }
      receiver.behave('good')
      const written = await endInPeace(dir, config, answered)
      expectWhole(receiver.got, written)
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
