// By a trace of the system calls: no call is sent on before its intent is durable, no reply written before its outcome is. MCPGW_CHAOS=full traces 10,000 calls.
import { describe, expect, test } from 'vitest'
import { isBuilt } from '../e2e/product.ts'
import { createDatabase, server } from '../postgres/server.ts'
import { hasStrace } from './strace.ts'

const { measureOrder } = await import(new URL('./fsync-order.mjs', import.meta.url).href)
const { createTraceReader } = await import(new URL('./trace.mjs', import.meta.url).href)

const CALLS = process.env.MCPGW_CHAOS === 'full' ? 10_000 : 400
const MINUTES = 60_000
const inOrder = { replies: CALLS / 2, early: 0, upstream: CALLS / 2, unintended: 0, unmatched: 0 }

describe.skipIf(!isBuilt || !hasStrace)('in the trace of a gateway, before and after a restart', () => {
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'each reply follows the fsync of its outcome, each call that of its intent (%s between)',
    { timeout: 10 * MINUTES },
    async end => {
      const { before, after } = await measureOrder({ calls: CALLS, durability: 'full', end })
      expect(before).toMatchObject(inOrder)
      // A database that is opened again has `synchronous` NORMAL by default, and then no commit would wait for the disk.
      expect(after).toMatchObject(inOrder)
      expect(Math.min(before.syncs, after.syncs)).toBeGreaterThan(CALLS / 32)
    },
  )

  test('durability os is seen to answer before any fsync', { timeout: MINUTES }, async () => {
    const { before, after } = await measureOrder({ calls: 100, durability: 'os' })
    for (const counts of [before, after]) {
      expect(counts).toMatchObject({ replies: 50, unmatched: 0 })
      expect(counts.early).toBeGreaterThan(0)
      expect(counts.unintended).toBeGreaterThan(0)
    }
  })

  test.skipIf(server === undefined)('each reply follows the answer of PostgreSQL to its outcome', { timeout: 10 * MINUTES }, async () => {
    const { before, after } = await measureOrder({ calls: CALLS, durability: 'full', postgres: await createDatabase() })
    expect(before).toMatchObject(inOrder)
    expect(after).toMatchObject(inOrder)
  })
})

describe('a trace', () => {
  const record = (seq: number): string =>
    `7  pwrite64(20</d/audit.db-wal>, "..{\\"v\\":2,\\"stream\\":\\"s\\",\\"seq\\":${seq},\\"type\\":\\"outcome\\"", 4096, 56) = 4096`
  const placesOf = (lines: readonly string[], store: 'sqlite' | 'postgres' = 'sqlite') => {
    const reader = createTraceReader(store)
    for (const [i, line] of lines.entries()) reader.take(line, i + 1)
    return reader.trace
  }

  test('an fsync covers what was written before it began, once it has returned', () => {
    const { durable } = placesOf([
      record(1),
      '7  fdatasync(20</d/audit.db-wal> <unfinished ...>',
      '8  pwrite64(20</d/audit.db-wal>, "\\"stream\\":\\"s\\",\\"seq\\":2,\\"type\\":", 4096, 56) = 4096',
      '7  <... fdatasync resumed>) = 0',
      '7  fdatasync(20</d/audit.db-wal>) = 0',
    ])
    expect(Object.fromEntries(durable)).toEqual({ 's:1': 4, 's:2': 5 })
  })

  test('one that fails, or of another file, covers nothing', () => {
    const { durable } = placesOf([
      record(1),
      '7  fdatasync(20</d/audit.db-wal>) = -1 EIO (Input/output error) (INJECTED)',
      '7  fdatasync(19</d/audit.db>) = 0',
    ])
    expect(durable.size).toBe(0)
  })

  test('a reply begins where its first byte was written', () => {
    const { upstream, replies } = placesOf([
      '7  write(21<socket:[1]>, "POST /mcp HTTP/1.1\\r\\n\\r\\n", 22) = 22',
      '7  write(21<socket:[1]>, "{\\"method\\":\\"tools/call\\",\\"text\\":\\"mark-a-1.\\"}", 40 <unfinished ...>',
      '7  <... write resumed>) = 40',
      '7  writev(22<socket:[2]>, [{iov_base="HTTP/1.1 200 OK", iov_len=9}, {iov_base="{\\"text\\":\\"mark-a-1.\\"}", iov_len=9}], 2) = 18',
    ])
    expect([upstream.get('mark-a-1'), replies.get('mark-a-1')]).toEqual([1, 4])
  })
})
