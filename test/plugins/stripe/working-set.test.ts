// What the outbox is asked while it bills: right by the definition of each standing, in both databases, and bounded however many lines there are.
import fc from 'fast-check'
import type { SqlRow } from 'mcpgw/plugin'
import { createTemporaryStores } from 'mcpgw/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStores } from '../../../core/store/index.ts'
import { type Line, newAttempt } from '../../../plugins/stripe/line.ts'
import { isCancellable, isRepeatable, OLDEST_MS, SUMMED_MS, standingOf, standings, type Terms } from '../../../plugins/stripe/standing.ts'
import type { Outbox, OutboxWriter, Place, Search, WorkingSet } from '../../../plugins/stripe/store/outbox.ts'
import { postgresOutbox } from '../../../plugins/stripe/store/postgres.ts'
import { sqliteOutbox } from '../../../plugins/stripe/store/sqlite.ts'
import { createWorkingSet } from '../../../plugins/stripe/store/working-set.ts'
import { createDatabase, server, run as sql } from '../../postgres/server.ts'
import { DAY, HOUR, START } from './billing-world.ts'

interface Filled {
  readonly set: WorkingSet
  fill(lines: readonly Line[]): Promise<void>
  readonly runs: number
}

const closings: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closings.reverse()) await close()
})

async function write(writer: OutboxWriter, lines: readonly Line[]): Promise<void> {
  if (lines.length > 0) await writer.commit({ totals: lines, attempts: lines })
}

async function inSqlite(slice: number): Promise<Filled> {
  const stores = createTemporaryStores()
  const outbox = sqliteOutbox(stores, 'stripe.db')
  const writer = (await outbox.lead())!
  const db = stores.open('stripe.db')
  closings.push(
    stores.remove,
    () => db.close(),
    () => writer.close(),
  )
  return {
    runs: 60,
    set: createWorkingSet({
      line: 'line',
      members: 'SELECT value FROM json_each(?)',
      slice,
      all: (text, params) => db.prepare(text).all(...params),
    }),
    async fill(lines) {
      db.exec('DELETE FROM line')
      await write(writer, lines)
    },
  }
}

async function inPostgres(): Promise<Filled> {
  const url = await createDatabase()
  const outbox: Outbox = postgresOutbox(createStores({ dataDir: '/nowhere', url }).postgres()!)
  const writer = (await outbox.lead())!
  // Before the database goes.
  afterAll(async () => {
    await writer.close()
    await outbox.close()
  })
  return {
    runs: 25,
    set: await outbox.reader(),
    async fill(lines) {
      await sql('TRUNCATE mcpgw_stripe.line', url)
      await write(writer, lines)
    },
  }
}

const NOW = START
const times = (...back: number[]): fc.Arbitrary<number> => fc.constantFrom(...back.map(ms => NOW - ms))
const attempt = fc.record({
  state: fc.constantFrom('idle', 'idle', 'open', 'uncertain'),
  kind: fc.constant('event'),
  customer: fc.constantFrom('', 'cus_acme', 'cus_2'),
  revision: fc.nat(2),
  identifier: fc.constant('i'),
  value: fc.nat(3),
  unsure: fc.option(fc.oneof(fc.constant(0), times(1, HOUR, 22 * HOUR, 23 * HOUR, DAY))),
  tried: times(-HOUR, 0, 1, SUMMED_MS - 1, SUMMED_MS, DAY),
  next: fc.oneof(fc.constant(0), times(-3 * HOUR, -2 * HOUR, -1, 0, 1)),
  error: fc.constant(''),
  lastIdentifier: fc.constantFrom('', 'one', 'two'),
  lastValue: fc.nat(3),
  lastAt: times(-1, 0, 23 * HOUR - 1, 23 * HOUR, DAY),
}) as fc.Arbitrary<Line['attempt']>
const line = fc.record({
  tenant: fc.constantFrom('acme', 'globex', 'initech', ''),
  event: fc.constantFrom('tool_calls', 'gone'),
  of: fc.constant('calls' as const),
  end: times(0, HOUR, 2 * HOUR, 3 * HOUR, OLDEST_MS - 1001, OLDEST_MS - 1, OLDEST_MS, OLDEST_MS + 1),
  used: fc.nat(3),
  wanted: fc.nat(3),
  sent: fc.nat(3),
  attempt,
})
const linesOf = fc
  .array(line, { maxLength: 40 })
  .map(all => all.map((one, at): Line => ({ ...one, start: one.end - HOUR, id: ((at * 7919) % 65_536).toString(16).padStart(20, '0') })))
const termsOf = fc.record({
  since: times(-HOUR, 0, 2 * HOUR, OLDEST_MS, OLDEST_MS + HOUR),
  now: fc.constant(NOW),
  config: fc.constant({ customers: { acme: 'cus_acme', globex: 'cus_g' }, meters: [{ event: 'tool_calls', of: 'calls' as const }] }),
}) as fc.Arbitrary<Terms>

const isTime = ({ attempt: { next } }: Line): boolean => next <= NOW || next > NOW + 2 * HOUR
/** By the definitions, one line at a time. */
const isDue = {
  started: (one: Line) => one.attempt.state === 'open' && isTime(one) && isRepeatable(one.attempt, NOW),
  credit: (one: Line) => isTime(one) && isCancellable(one, NOW),
  owed: (one: Line, terms: Terms) => isTime(one) && ['waiting', 'refused'].includes(standingOf(one, terms)),
}
const isStale = ({ attempt: own }: Line): boolean =>
  own.state === 'open' && !isRepeatable(own, NOW) && (own.tried > NOW || NOW - own.tried >= SUMMED_MS)

async function sweep(search: (from: Place | undefined) => Promise<Search>, most: number): Promise<string[]> {
  const found: string[] = []
  let from: Place | undefined
  do {
    const { lines, next } = await search(from)
    expect(lines.length).toBeLessThanOrEqual(most)
    found.push(...lines.map(({ id }) => id))
    from = next
  } while (from !== undefined)
  expect(new Set(found).size).toBe(found.length)
  return found.toSorted()
}
const ids = (lines: readonly Line[]): string[] => lines.map(({ id }) => id).toSorted()

describe.each([
  ['SQLite, by slices of 3', () => inSqlite(3)],
  ['SQLite, in one slice', () => inSqlite(5000)],
  ...(server === undefined ? [] : [['PostgreSQL', inPostgres] as const]),
] as const)('%s', (_, open) => {
  let filled: Filled
  beforeAll(async () => {
    filled = await open()
  })

  test('with any lines and terms, what it counts, finds and lists is what each line by itself says', async () => {
    await fc.assert(
      fc.asyncProperty(linesOf, termsOf, fc.integer({ min: 1, max: 5 }), async (lines, terms, most) => {
        const { set, fill } = filled
        await fill(lines)
        const standing = new Map(lines.map(one => [one.id, standingOf(one, terms)]))
        const stands = (which: string): Line[] => lines.filter(({ id }) => standing.get(id) === which)
        for (const isWhole of [false, true]) {
          const { lines: counts, due, age } = await set.tally(terms, undefined, isWhole)
          for (const one of standings.filter(name => name !== 'billed' && (isWhole || name !== 'before'))) {
            expect([one, counts[one]]).toEqual([one, stands(one).length])
            expect(due[one]).toBe(stands(one).reduce((sum, { wanted, sent }) => sum + wanted - sent, 0))
          }
          expect(counts.billed + (isWhole ? 0 : counts.before)).toBe(0)
          const waiting = ['waiting', 'open', 'refused'].flatMap(stands)
          expect(age).toBe(Math.max(0, ...waiting.map(({ end }) => NOW - end)))
        }
        for (const part of ['started', 'credit', 'owed'] as const)
          expect(await sweep(from => set.due(part, from, terms, most), most)).toEqual(ids(lines.filter(one => isDue[part](one, terms))))
        expect(await sweep(from => set.stale(from, NOW, most), most)).toEqual(ids(lines.filter(isStale)))
        expect(await sweep(from => set.open(from, most), most)).toEqual(ids(lines.filter(one => one.attempt.state === 'open')))
        for (const one of [...standings, undefined]) {
          const fit = one === undefined ? lines.filter(({ id }) => !['billed', 'before'].includes(standing.get(id)!)) : stands(one)
          const listed = await set.list(one, terms, 1000)
          expect([ids(listed.lines), listed.total]).toEqual([ids(fit), fit.length])
          expect(listed.lines).toEqual(listed.lines.toSorted((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1)))
          expect((await set.list(one, terms, 2)).lines).toEqual(listed.lines.slice(0, 2))
        }
        expect(ids(await set.sentAs(['one', 'none']))).toEqual(ids(lines.filter(one => one.attempt.lastIdentifier === 'one')))
        const [first] = lines
        if (first !== undefined && first.attempt.customer !== '') {
          const same = lines.filter(
            one => one.event === first.event && one.end === first.end && one.attempt.customer === first.attempt.customer,
          )
          expect(ids(await set.beside(first))).toEqual(expect.arrayContaining(ids(same)))
        }
      }),
      { numRuns: filled.runs },
    )
  }, 120_000)
})

describe('with many lines', () => {
  const MANY = 20_000
  const terms: Terms = {
    since: NOW - 10 * DAY,
    now: NOW,
    config: { customers: { acme: 'cus_acme' }, meters: [{ event: 'calls', of: 'calls' }] },
  }
  const many = (tenant: string, end: number, count: number, more: Partial<Line> = {}): Line[] =>
    Array.from({ length: count }, (_, at) => ({
      id: `${tenant === 'acme' ? 'a' : 'b'}${at.toString(16).padStart(19, '0')}`,
      tenant,
      event: 'calls',
      of: 'calls',
      start: end - HOUR,
      end,
      used: 1,
      wanted: 1,
      sent: 0,
      attempt: newAttempt,
      ...more,
    }))

  async function watched(lines: readonly Line[]) {
    const stores = createTemporaryStores()
    closings.push(stores.remove)
    const outbox = sqliteOutbox(stores, 'stripe.db')
    const writer = (await outbox.lead())!
    await write(writer, lines)
    await writer.close()
    const db = stores.open('stripe.db')
    closings.push(() => db.close())
    const asked: { readonly sql: string; readonly rows: number }[] = []
    const all = (text: string, params: readonly (string | number | bigint | null | Uint8Array)[]): readonly SqlRow[] => {
      const rows = db.prepare(text).all(...params)
      asked.push({ sql: text, rows: rows.length })
      return rows
    }
    const planOf = (text: string): string =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all(...Array.from({ length: text.split('?').length - 1 }, () => '[]'))
        .map(({ detail }) => String(detail))
        .join('\n')
    return { set: createWorkingSet({ line: 'line', members: 'SELECT value FROM json_each(?)', slice: 200, all }), asked, planOf }
  }

  test('what was used before billing began is in no question: they are as many, and give as little, as without it', async () => {
    const ask = async (lines: readonly Line[]): Promise<readonly { sql: string; rows: number }[]> => {
      const { set, asked } = await watched(lines)
      await set.tally(terms)
      for (const part of ['started', 'credit', 'owed'] as const) await set.due(part, undefined, terms, 500)
      return asked
    }
    expect(await ask(many('acme', NOW - 20 * DAY, MANY))).toEqual(await ask([]))
  })

  test('what is held is looked through in parts, and a line behind it is found', async () => {
    const { set, asked } = await watched([...many('nobody', NOW - 2 * DAY, MANY), ...many('acme', NOW - DAY, 1)])
    let from: Place | undefined
    const found: Line[] = []
    let calls = 0
    do {
      const before = asked.length
      const { lines, next } = await set.due('owed', from, terms, 500)
      expect(asked.length - before).toBeLessThanOrEqual(50)
      found.push(...lines)
      from = next
      calls += 1
    } while (from !== undefined)
    expect(found.map(({ tenant }) => tenant)).toEqual(['acme'])
    expect(calls).toBeLessThanOrEqual(MANY / 5000 + 1)
  })

  test('each question goes by an index of what is not done with, none over all lines', async () => {
    const { set, asked, planOf } = await watched(
      many('acme', NOW - DAY, 3, { attempt: { ...newAttempt, customer: 'c', lastIdentifier: 'i' } }),
    )
    await set.tally(terms)
    for (const part of ['started', 'credit', 'owed'] as const) await set.due(part, undefined, terms, 5)
    await set.stale(undefined, NOW, 5)
    await set.beside(many('acme', NOW, 1)[0]!)
    await set.sentAs(['i'])
    for (const { sql: text } of asked) {
      const plan = planOf(text)
      expect(plan, text).toMatch(/USING (COVERING )?INDEX line_(started|credit|owed|customer|last)/)
      expect(plan, text).not.toMatch(/SCAN line/)
    }
  })
})
