// A subject's row that was stored by an append of unknown fate is not written again: whoever was erased meanwhile would be there anew.
import type { Append } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import type { Entry, Stored } from '../../../plugins/audit/entry.ts'
import { createLedger } from '../../../plugins/audit/ledger.ts'
import { ROWS } from '../../../plugins/audit/store/log-store.ts'

test.each([
  ['stored after all', true],
  ['not stored', false],
] as const)('an append that was %s: its subjects are written once', async (_fate, isStored) => {
  const written: Append[] = []
  let timers: (() => void)[] = []
  let isFailing = true
  const clock = {
    now: () => 0,
    mono: () => 0,
    after(_ms: number, run: () => void) {
      timers.push(run)
      return () => {}
    },
  }
  const append = async (rows: readonly Append[]): Promise<void> => {
    if (isStored || !isFailing) written.push(...rows)
    if (isFailing) throw new Error('who knows')
  }
  const ledger = createLedger({
    writer: { append, recover: async () => {}, close: async () => {} },
    clock,
    stream: 'gw.b1',
    deadline: 1000,
    tail: '',
    before: '00'.repeat(32),
    async readHead() {
      const records = written.filter(({ sql }) => sql === ROWS.record)
      const last = records.at(-1)
      return { seq: records.length, link: last === undefined ? '00'.repeat(32) : String(last.params[6]) }
    },
    onDurable() {},
    onOutcomes() {},
    onHealth() {},
  })
  const subject: Stored = { row: { sql: ROWS.subject!, params: ['s1', '', '', ''] }, stored: false }
  const entry: Entry = { type: 'refusal', call: '', at: 0, mono: 0, members: '', subject }
  expect(await ledger.append([entry], 'offer')).toBe('who knows')
  isFailing = false
  const due = timers
  timers = []
  for (const run of due) run()
  await expect.poll(() => written.some(({ params }) => params[3] === 'audit.recovered')).toBe(true)
  expect(await ledger.append([entry], 'offer')).toBeUndefined()
  expect(written.filter(({ sql }) => sql === ROWS.subject)).toHaveLength(1)
  expect(subject.stored).toBe(true)
  await ledger.close()
})
