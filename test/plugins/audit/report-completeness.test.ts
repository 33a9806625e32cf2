// What proves the whole log proves a period only where nothing of it may have been taken out, and where it reaches over all of its records.
import { expect, test } from 'vitest'
import type { Verdict } from '../../../plugins/audit/check-log.ts'
import { judge } from '../../../plugins/audit/commands/report-completeness.ts'
import type { StreamCourse } from '../../../plugins/audit/commands/report-course.ts'
import type { LogReader, StoredRecord } from '../../../plugins/audit/store/log-store.ts'

const period = { from: 1000, to: 2000 }
const verdict: Verdict = {
  kind: 'proven',
  broken: undefined,
  upTo: { origin: 'mcpgw/audit/0', at: 2000, streams: [] },
  records: 9,
  proven: 9,
  covered: new Map(),
  streams: 1,
  checkpoints: 1,
  retired: 0,
  openIntents: 0,
  unannounced: 0,
  clockSteps: 0,
}
const stream: StreamCourse = { stream: 's', first: 1, last: 9, records: 9, proven: 9, from: '', to: '' }
/** Took out the first five of a stream at `taken`; the one that is left is of `next`. */
const reader = (taken?: number, next?: number): LogReader =>
  ({
    tombstones: async () => (taken === undefined ? [] : [{ stream: 's', through: 5, at: taken, link: '', frontier: '', note: '' }]),
    find: async (name: string, seq: number) =>
      next !== undefined && name === 's' && seq === 6 ? ({ at: next } as StoredRecord) : undefined,
  }) as Partial<LogReader> as LogReader

test.each([
  ['nothing was taken out', reader(), 'proven'],
  ['it was before the period', reader(999), 'proven'],
  ['what is left begins before the period', reader(3000, 900), 'proven'],
  ['what is left begins within it', reader(3000, 1500), 'not proven'],
  ['nothing is left of the stream', reader(3000), 'not proven'],
])('where %s the period is %s', async (_, log, expected) => {
  expect(await judge(period, verdict, [stream], 1, log)).toMatchObject({ period: expected, verdict: 'proven' })
})

test('one record that no checkpoint covers, or a checkpoint of a moment before its end, and it is not proven', async () => {
  expect(await judge(period, verdict, [{ ...stream, proven: 8 }], 1, reader())).toMatchObject({
    period: 'not proven',
    why: ['1 of the records of the period came after it'],
  })
  expect(await judge({ from: 1000, to: 2001 }, verdict, [stream], 1, reader())).toMatchObject({ period: 'not proven' })
})

test('whatever else it lacks, a broken log is broken', async () => {
  const broken = { n: 4, stream: 's', seq: 4, what: 'column hash does not fit' }
  expect(await judge(period, { ...verdict, kind: 'broken', broken, upTo: undefined }, [stream], 1, reader(3000))).toMatchObject({
    period: 'broken',
    broken: 'BROKEN at record 4 (s:4): column hash does not fit',
  })
})
