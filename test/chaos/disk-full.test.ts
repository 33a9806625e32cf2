// The disk under the data directory fills up: nothing happens unrecorded, everybody is told at once, and it heals when there is space again.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFolder, isBuilt, type Product, startProduct, untilHealth } from '../e2e/product.ts'
import { codeOf, openSession, type Session } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { textOf } from './processes.ts'
import { anchoredAudit, expectProven } from './whole-log.ts'

const GENEROUS_MS = 5000

/** Mounting needs a right that not every machine gives. */
const mayMount = ((): boolean => {
  if (process.platform !== 'linux') return false
  const at = createBareFolder()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at]).status === 0
  if (mounted) spawnSync('umount', [at])
  rmSync(at, { recursive: true })
  return mounted
})()
if (!mayMount) console.warn('skipped: a full disk needs the right to mount a file system')

function createBareFolder(): string {
  return spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim()
}

/** A data directory of 1 MB. */
function mountSmallDisk(dir: string): string {
  const data = join(dir, '.mcpgw')
  mkdirSync(data)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', data]).status !== 0) throw new Error('cannot mount')
  onTestFinished(() => void spawnSync('umount', ['-l', data]))
  return data
}

/** Fills whatever is free; returns how to give it back. */
function fillDisk(folder: string): () => void {
  const file = join(folder, 'filler')
  const handle = openSync(file, 'w')
  for (const size of [64 * 1024, 4096, 1]) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(size))
    } catch {
      // No space left for a block of this size.
    }
  }
  closeSync(handle)
  return () => rmSync(file)
}

const receivedBy = async (session: Session): Promise<number> => (textOf(await session.call('odd__pid')) as { received: number }).received
const auditOf = (product: Product, status: string): ReturnType<typeof untilHealth> =>
  untilHealth(product.origin, health => health.components.some(one => one.name === 'audit' && one.status === status))

describe.skipIf(!isBuilt || !mayMount)('a full disk', () => {
  test.each(['full', 'os'] as const)('refuses calls until there is space again, durability %s', async durability => {
    const dir = createFolder()
    const data = mountSmallDisk(dir)
    const config = { servers: [{ id: 'odd', ...oddServer() }], plugins: [anchoredAudit(dir, { durability }), 'redact'] }
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin)
    const before = await receivedBy(session)
    const free = fillDisk(data)

    // The first call may still fit into space that the database has already.
    const padding = 'x'.repeat(30_000)
    let refused: unknown
    let through = 0
    let slowest = 0
    for (refused = undefined; refused === undefined; ) {
      const began = performance.now()
      const reply = await session.call('odd__echo', { padding })
      slowest = Math.max(slowest, performance.now() - began)
      if (codeOf(reply) === undefined) through++
      else refused = codeOf(reply)
    }
    expect(slowest).toBeLessThan(GENEROUS_MS)
    expect(refused).toBe('not-recorded')
    const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => session.call('odd__echo', { n })))
    expect(new Set(replies.map(codeOf))).toEqual(new Set(['not-recorded']))
    const health = await auditOf(product, 'failing')
    expect(health.status).toBe('failing')
    expect((await fetch(`${product.origin}/readyz`)).status).toBe(503)

    free()
    const freed = performance.now()
    await auditOf(product, durability === 'os' ? 'degraded' : 'ok')
    console.info(
      `refused in ${slowest.toFixed(0)} ms at most; recorded again ${(performance.now() - freed).toFixed(0)} ms after there was space`,
    )
    expect(textOf(await session.call('odd__echo', { again: true }))).toEqual({ again: true })
    // Nothing but the calls that were let through, these two and the questions themselves has reached the server.
    expect(await receivedBy(session)).toBe(before + through + 2)
    expect((await fetch(`${product.origin}/readyz`)).status).toBe(200)

    expect(await product.stop()).toEqual({ code: 0, signal: null })
    const records = expectProven(dir, [])
    expect(records.some(record => record.type === 'audit.recovered')).toBe(true)
  })
})
