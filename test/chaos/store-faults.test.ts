// The files of the record are taken away, exchanged, spoilt or locked: nothing is answered that is not on record, and the message says what to do.
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SCHEMA } from '../../plugins/audit/store/sqlite-tables.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { openRecords } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { anchoredAudit, anchorIn, expectProven } from './whole-log.ts'

const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

const configIn = (dir: string, audit: object = {}): object => ({
  servers: [{ id: 'odd', ...oddServer() }],
  plugins: [anchoredAudit(dir, audit), 'redact'],
})
const data = (dir: string, name = ''): string => join(dir, '.mcpgw', name)

async function auditIs(product: Product, status: string): Promise<string | undefined> {
  const isAudit = (one: { name: string; status: string }): boolean => one.name === 'audit' && one.status === status
  return (await untilHealth(product.origin, health => health.components.some(isAudit))).components.find(isAudit)?.why
}

describe.skipIf(!isBuilt)('under a running gateway', () => {
  test.each(['full', 'os'])('a log that is moved away: calls are refused until it is back (durability %s)', async durability => {
    const dir = createFolder()
    const product = await startProduct({ dir, config: configIn(dir, { durability }) })
    const session = await openSession(product.origin)
    const call = async (name: string): Promise<string | undefined> => codeOf(await session.call('odd__echo', { name }))
    expect(await call('before')).toBeUndefined()
    renameSync(data(dir), `${data(dir)}.away`)
    expect(await call('away')).toBe('not-recorded')
    // Behind it stands what is degraded besides: the mode `os`.
    expect((await auditIs(product, 'failing'))?.split('; durability is')[0]).toBe(
      `${data(dir, 'audit.db')}: was removed or replaced while it is written; put the file back`,
    )
    expect((await fetch(`${product.origin}/readyz`)).status).toBe(503)
    // No attempt to recover has put another one into its place.
    renameSync(`${data(dir)}.away`, data(dir))
    await auditIs(product, durability === 'full' ? 'ok' : 'degraded')
    expect(await call('back')).toBeUndefined()
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    expectProven(dir, ['before', 'back'])
  })

  test.each([
    ['deleted', (log: string) => rmSync(log)],
    [
      'exchanged for a copy',
      (log: string) => {
        copyFileSync(log, `${log}.copy`)
        renameSync(`${log}.copy`, log)
      },
    ],
  ])('a log that is %s: no call goes through any more', async (_, work) => {
    const dir = createFolder()
    const product = await startProduct({ dir, config: configIn(dir) })
    const session = await openSession(product.origin)
    expect(codeOf(await session.call('odd__echo', { name: 'before' }))).toBeUndefined()
    work(data(dir, 'audit.db'))
    for (let n = 0; n < 5; n++) {
      expect(codeOf(await session.call('odd__echo', { name: `after-${n}` }))).toBe('not-recorded')
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    expect(await auditIs(product, 'failing')).toContain('was removed or replaced')
  })
})

/** A log with one call, whose gateway has stopped. */
async function writtenLog(dir: string): Promise<void> {
  const product = await startProduct({ dir, config: configIn(dir) })
  await (await openSession(product.origin)).call('odd__echo', { name: 'first' })
  await product.stop()
}

describe.skipIf(!isBuilt)('at the start', () => {
  const schemaIs = (dir: string, version: number, more = ''): void => {
    const db = openRecords(data(dir), false)
    db.exec(`${more}; PRAGMA user_version = ${version}`)
    db.close()
  }
  test.each<[string, (dir: string) => void, string, number]>([
    [
      'a spoilt key of names',
      dir => writeFileSync(data(dir, 'audit.db.key'), 'spoilt'),
      'audit.db.key: expected a key of 64 hex digits',
      0,
    ],
    [
      'a spoilt signing key',
      dir => writeFileSync(data(dir, 'audit.db.signing-key'), 'spoilt'),
      'audit.db.signing-key: expected an Ed25519 key',
      0,
    ],
    [
      'a signing key that others may read',
      dir => chmodSync(data(dir, 'audit.db.signing-key'), 0o644),
      'others may read it, so it proves nothing; chmod 600 it',
      0,
    ],
    [
      'tables of a newer version',
      dir => schemaIs(dir, 99),
      `audit.db: written by a newer version (schema 99, this one knows ${SCHEMA}); upgrade`,
      3,
    ],
    ['a log that is none', dir => writeFileSync(data(dir, 'audit.db'), 'no database, but long enough to be looked into'), 'audit.db: ', 3],
  ])('%s stops it: exit 2, told in one line, and nothing is written', { timeout: 60_000 }, async (_, work, why, verified) => {
    const dir = createFolder()
    await writtenLog(dir)
    work(dir)
    const before = readFileSync(data(dir, 'audit.db'))
    const { code, err } = runCli(['run', '--http', '127.0.0.1:0'], dir)
    expect(code, err).toBe(2)
    expect(err.split('\n').find(line => line.startsWith('error[plugin-setup]: setup of audit failed: '))).toContain(why)
    expect(readFileSync(data(dir, 'audit.db')).equals(before)).toBe(true)
    // What is there can still be verified, where this version can read it: that needs no secret.
    expect(runCli(['audit', 'verify', '--checkpoint', anchorIn(dir)], dir).code).toBe(verified)
  })

  test.each<[string, (dir: string) => void]>([
    ['another signing key', dir => rmSync(data(dir, 'audit.db.signing-key'))],
    ['another key of names', dir => rmSync(data(dir, 'audit.db.key'))],
    ['tables of an older version', dir => schemaIs(dir, 1, 'DROP TABLE tombstone')],
  ])('%s: the log is continued, and proven', { timeout: 60_000 }, async (_, work) => {
    const dir = createFolder()
    await writtenLog(dir)
    work(dir)
    const product = await startProduct({ dir, config: configIn(dir) })
    expect(codeOf(await (await openSession(product.origin)).call('odd__echo', { name: 'second' }))).toBeUndefined()
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    expectProven(dir, ['second'])
  })

  test.skipIf(!isRoot).each<[string, (dir: string) => void]>([
    ['a log that may not be written', dir => chmodSync(data(dir, 'audit.db'), 0o400)],
    ['a folder that may not be written', dir => chmodSync(data(dir), 0o500)],
  ])('%s stops it, and says which', { timeout: 60_000 }, async (_, work) => {
    const dir = createFolder()
    mkdirSync(data(dir))
    chownSync(data(dir), NOBODY, NOBODY)
    const as = { dir, uid: NOBODY, config: configIn(dir) }
    await (await startProduct(as)).stop()
    work(dir)
    await expect(startProduct(as)).rejects.toThrow(
      /ended with 2 .*setup of audit failed: \S+audit\.db\S*: .*(permission denied|cannot be opened)/s,
    )
  })
})
