// The store port keeps its promises over whichever driver runs: privacy of the file, durability on every open, exact integers, refusal of newer schemas.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database, Stores } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadDriver } from '../../../core/store/driver.ts'
import { createStores } from '../../../core/store/index.ts'

let dir: string
let stores: Stores
const opened: Database[] = []
const open: Stores['open'] = (path, options) => {
  const db = stores.open(path, options)
  opened.push(db)
  return db
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mcpgw-store-'))
  stores = createStores({ dataDir: join(dir, 'data') })
})
afterEach(() => {
  for (const db of opened.splice(0)) db.close()
  rmSync(dir, { recursive: true, force: true })
})
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('opening', () => {
  test('a store is private: file 0600, folder 0700, and its WAL likewise', () => {
    open('deep/a.db').exec('CREATE TABLE t (x) ')
    expect(mode(join(dir, 'data/deep'))).toBe('700')
    expect(mode(join(dir, 'data/deep/a.db'))).toBe('600')
    expect(mode(join(dir, 'data/deep/a.db-wal'))).toBe('600')
  })

  test.skipIf(process.platform === 'win32')('what is no regular file is refused and not waited for', () => {
    mkdirSync(join(dir, 'data/folder.db'), { recursive: true })
    execFileSync('mkfifo', [join(dir, 'data/pipe.db')])
    for (const path of ['folder.db', 'pipe.db']) {
      for (const readOnly of [true, false]) expect(codeOf(() => open(path, { readOnly }))).toBe('store-unreadable')
    }
  })

  test('a file that others may read is closed to them', () => {
    const path = join(dir, 'loose.db')
    writeFileSync(path, '', { mode: 0o644 })
    open(path)
    expect(mode(path)).toBe('600')
  })

  test('synchronous is set on every open, also when a WAL file is reopened', () => {
    const synchronous = (durability?: 'full' | 'os'): unknown => {
      const db = stores.open('a.db', durability === undefined ? {} : { durability })
      const value = db.prepare('PRAGMA synchronous').get()?.synchronous
      db.close()
      return value
    }
    expect([synchronous(), synchronous(), synchronous('os'), synchronous('full')]).toEqual([2, 2, 1, 2])
  })

  test('a missing file is never created by a reader', () => {
    expect(codeOf(() => open('none.db', { readOnly: true }))).toBe('store-missing')
    expect(codeOf(() => open('none.db', { readOnly: true }))).toBe('store-missing')
  })

  test('a file that is no database is unreadable, not empty', () => {
    const path = join(dir, 'text.db')
    writeFileSync(path, 'this is not a database, but it is long enough to be one. '.repeat(20))
    expect(codeOf(() => open(path))).toBe('store-unreadable')
    expect(codeOf(() => open(path, { readOnly: true }))).toBe('store-unreadable')
  })

  test('T67: a file of a newer schema is refused, by readers, owners and writers', async () => {
    open('a.db').exec('PRAGMA user_version = 3')
    expect(codeOf(() => open('a.db', { schema: 2 }))).toBe('store-newer')
    expect(codeOf(() => open('a.db', { schema: 2, readOnly: true }))).toBe('store-newer')
    await expect(stores.writer('a.db', { durability: 'full', setup: '', statements: [], schema: 2 })).rejects.toMatchObject({
      code: 'store-newer',
    })
    expect(codeOf(() => open('a.db', { schema: 3 }))).toBeUndefined()
  })

  test('a reader cannot write', () => {
    open('a.db').exec('CREATE TABLE t (x)')
    expect(() => open('a.db', { readOnly: true }).exec('INSERT INTO t VALUES (1)')).toThrow(/readonly/i)
  })
})

describe('values', () => {
  test('integers are numbers while exact and bigint beyond', () => {
    const db = open(':memory:')
    db.exec('CREATE TABLE t (a INTEGER, b INTEGER, c REAL, d TEXT, e BLOB, f)')
    db.prepare('INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)').run(7, 2n ** 60n, 0.5, 'é', new Uint8Array([1, 0, 2]), null)
    const row = db.prepare('SELECT * FROM t').get()
    expect({ ...row, e: Array.from(row!.e as Uint8Array) }).toEqual({ a: 7, b: 2n ** 60n, c: 0.5, d: 'é', e: [1, 0, 2], f: null })
    expect([...db.prepare('SELECT a FROM t').iterate()].map(r => r.a)).toEqual([7])
    expect(db.prepare('UPDATE t SET a = ? WHERE a = ?').run(8, 7).changes).toBe(1)
    expect(db.prepare('SELECT a FROM t WHERE a = ?').get(9)).toBeUndefined()
  })

  test('a transaction is all or nothing, and the connection works on after a throw', () => {
    const db = open('a.db')
    db.exec('CREATE TABLE t (x)')
    const insert = db.prepare('INSERT INTO t VALUES (?)')
    expect(() =>
      db.transaction(() => {
        insert.run(1)
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(db.transaction(() => insert.run(2).changes)).toBe(1)
    expect(
      db
        .prepare('SELECT x FROM t')
        .all()
        .map(r => r.x),
    ).toEqual([2])
  })
})

describe('a purge', () => {
  const fill = (): Database => {
    const db = open('a.db')
    db.exec('CREATE TABLE t (x)')
    const insert = db.prepare('INSERT INTO t VALUES (?)')
    for (let i = 0; i < 500; i++) insert.run(`a-secret-of-row-${i}`)
    return db
  }
  const bytes = (): string =>
    readdirSync(join(dir, 'data')).reduce((all, name) => all + readFileSync(join(dir, 'data', name), 'latin1'), '')

  test('leaves nothing of what was deleted in the file or beside it', () => {
    const db = fill()
    db.exec("DELETE FROM t WHERE x <> 'a-secret-of-row-7'")
    expect(bytes()).toContain('a-secret-of-row-8')
    db.purge()
    expect(bytes().match(/a-secret-of-row-\d+/g)).toEqual(['a-secret-of-row-7'])
  })

  test('says so where somebody reads all the while', () => {
    const db = fill()
    const rows = open('a.db', { readOnly: true }).prepare('SELECT x FROM t').iterate()
    rows.next()
    db.exec('DELETE FROM t')
    expect(() => db.purge()).toThrow('is in use')
    rows.return?.()
    db.purge()
    expect(bytes()).not.toContain('a-secret')
  })
})

describe('the driver', () => {
  test('a wrong word in the environment is an error', () => {
    expect(() => loadDriver('oracle')).toThrow(/MCPGW_SQLITE is "oracle"/)
  })

  test.each([
    ['better', 'better-sqlite3'],
    ['node', 'node:sqlite'],
  ])('%s is %s where it loads, and else an error that says what to do', (choice, name) => {
    try {
      expect(loadDriver(choice).name).toBe(name)
    } catch (error) {
      expect(String(error)).toMatch(/no SQLite driver.*Node 22\.13/s)
    }
  })

  test('unforced, one that loads is taken', () => {
    expect(['better-sqlite3', 'node:sqlite']).toContain(loadDriver('').name)
  })
})
