// The functions that people are offered instead of tests on text, and time in any zone.
import { describe, expect, test } from 'vitest'
import { bindings, compiled, evaluate } from './conditions.ts'

describe('sql.is_select()', () => {
  test.each([
    'SELECT 1',
    "select a, \"b c\", count(*) from t where x = 'it''s; delete' and y > 3 group by a order by 1 limit 10;",
    'WITH recent AS (SELECT * FROM orders) SELECT * FROM recent',
    "SELECT replace(name, 'a', 'b') FROM t",
    'SELECT "delete" FROM t',
    'SELECT t.id::text || $1 FROM t WHERE id = ?',
  ])('%s is one', sql => {
    expect(evaluate('sql.is_select(args.q)', { q: sql })).toBe(true)
  })

  test.each([
    '',
    'DELETE FROM t',
    'SELECT 1; DROP TABLE t',
    'SELECT 1;;',
    'SELECT * INTO x FROM t',
    'SELECT * FROM t FOR UPDATE',
    'SELECT * FROM t FOR NO KEY UPDATE',
    'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d',
    'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x',
    'SELECT 1 /* x */',
    'SELECT 1 -- x',
    'SELECT 1 # x',
    '/*!50000 DELETE */ SELECT 1',
    "SELECT 'a\\'; DROP TABLE t; --'",
    "SELECT 'unclosed",
    "SELECT E'a' FROM t",
    'SELECT $$x$$',
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT load_file('/etc/passwd')",
    'SELECT pg_sleep(100)',
    'SELECT "pg_sleep" (100)',
    'SELECT sleep(100)',
    "SELECT dblink_exec('x', 'y')",
    "SELECT setval('s', 1)",
    "SELECT * FROM t INTO OUTFILE '/tmp/x'",
    'EXPLAIN ANALYZE DELETE FROM t',
    'SELECT (1',
    'SELECT 1)',
    'VALUES (1)',
    'SELECT 1\0',
    'SELECT a b c ！',
  ])('%s is none', sql => {
    expect(evaluate('sql.is_select(args.q)', { q: sql })).toBe(false)
  })

  test('what is no text is an error', () => {
    expect(evaluate('sql.is_select(args.q)', { q: 1 })).toBe('cel-error')
  })
})

describe('path.within()', () => {
  test.each([
    ['/srv/data', '/srv/data', true],
    ['/srv/data/a/b', '/srv/data/', true],
    ['/srv/data/../data/a', '/srv/data', true],
    ['/srv//data/./a', '/srv/data', true],
    ['/srv/data/..', '/srv/data', false],
    ['/srv/data/../../etc/passwd', '/srv/data', false],
    ['/srv/database', '/srv/data', false],
    ['/srv/data/%2e%2e/x', '/srv/data', true],
    ['/../srv/data', '/srv/data', false],
    ['srv/data', '/srv/data', false],
    ['/srv/data/a\0', '/srv/data', false],
    ['/srv/data\\..\\x', '/srv/data', false],
    ['/anything', '/', true],
  ])('%s within %s is %s', (path, directory, is) => {
    expect(evaluate('path.within(args.p, args.d)', { p: path, d: directory })).toBe(is)
  })

  test('a directory that is none is an error', () => {
    expect(evaluate('path.within(args.p, "data")', { p: '/data' })).toBe('cel-error')
  })
})

describe('url.host()', () => {
  test.each([
    ['https://Example.com:8443/x', 'example.com'],
    ['https://good.com@evil.com/', 'evil.com'],
    ['https://example.com./', 'example.com'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '[::ffff:7f00:1]'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
  ])('of %s is %s', (url, host) => {
    expect(evaluate('url.host(args.u) == args.h', { u: url, h: host })).toBe(true)
  })

  test.each([
    'example.com',
    'https://',
    'https://a\\@b.com',
    ' https://a.com',
    'https://a.com\t.evil.com',
    'mailto:a@b.com',
    'file:///etc/passwd',
    '',
  ])('of %j is an error', url => {
    expect(evaluate('url.host(args.u) == ""', { u: url })).toBe('cel-error')
  })
})

describe('net.in_cidr()', () => {
  test.each([
    ['10.0.0.7', '10.0.0.0/8', true],
    ['11.0.0.7', '10.0.0.0/8', false],
    ['::ffff:10.0.0.7', '10.0.0.0/8', true],
    ['::FFFF:a00:7', '10.0.0.0/8', true],
    ['10.0.0.7', '::ffff:10.0.0.0/104', true],
    ['10.0.0.7', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['10.0.0.7', '10.0.0.7/32', true],
  ])('%s in %s is %s', (ip, cidr, is) => {
    expect(evaluate('net.in_cidr(args.ip, args.c)', { ip, c: cidr })).toBe(is)
  })

  test.each([
    ['010.0.0.7', '10.0.0.0/8'],
    ['10.0.7', '10.0.0.0/8'],
    ['0xa.0.0.7', '10.0.0.0/8'],
    ['10.0.0.256', '10.0.0.0/8'],
    ['10.0.0.7 ', '10.0.0.0/8'],
    ['::1::2', '::/0'],
    ['1:2:3:4:5:6:7', '::/0'],
    ['fe80::1%eth0', '::/0'],
    ['10.0.0.7', '10.0.0.1/8'],
    ['10.0.0.7', '10.0.0.0/33'],
    ['10.0.0.7', '10.0.0.0/08'],
    ['10.0.0.7', '10.0.0.0'],
    ['10.0.0.7', '10.0.0.0/'],
  ])('%s in %s is an error', (ip, cidr) => {
    expect(evaluate('net.in_cidr(args.ip, args.c)', { ip, c: cidr })).toBe('cel-error')
  })
})

describe('time', () => {
  const zones = ['UTC', 'America/New_York', 'Europe/Berlin', 'Pacific/Apia', 'Australia/Lord_Howe']

  test.each([
    // The clocks of Berlin go from 02:00 to 03:00 at 01:00Z on 2026-03-29, and back at 01:00Z on 2026-10-25.
    ['2026-03-29T00:59:59Z', 'getHours("Europe/Berlin")', 1],
    ['2026-03-29T01:00:00Z', 'getHours("Europe/Berlin")', 3],
    ['2026-10-25T00:59:59Z', 'getHours("Europe/Berlin")', 2],
    ['2026-10-25T01:00:00Z', 'getHours("Europe/Berlin")', 2],
    ['2026-03-08T06:59:59Z', 'getHours("America/New_York")', 1],
    ['2026-03-08T07:00:00Z', 'getHours("America/New_York")', 3],
    ['2026-03-08T07:00:00Z', 'getHours()', 7],
    ['2026-11-21T23:30:00Z', 'getHours("+02:00")', 1],
    ['2026-11-21T23:30:00Z', 'getDayOfWeek("+02:00")', 0],
    ['2026-11-21T23:30:00Z', 'getDayOfWeek()', 6],
    ['2026-11-21T23:30:00Z', 'getMinutes("-00:45")', 45],
    ['2026-12-31T23:30:00Z', 'getFullYear("01:00")', 2027],
    ['2026-12-31T23:30:00Z', 'getDayOfYear("Europe/Berlin")', 0],
    ['2026-12-31T00:00:00Z', 'getDayOfYear()', 364],
    ['2026-02-03T00:00:00Z', 'getDate()', 3],
    ['2026-02-03T00:00:00Z', 'getDayOfMonth()', 2],
    ['2026-02-03T00:00:00Z', 'getMonth()', 1],
    ['2026-02-03T00:00:00.250Z', 'getMilliseconds("Asia/Kolkata")', 250],
    ['2026-02-03T00:00:00Z', 'getMinutes("Asia/Kolkata")', 30],
  ])('%s .%s is %s wherever this machine stands', (at, getter, value) => {
    const condition = compiled(`request.time.${getter} == ${value}`)
    const home = process.env.TZ
    try {
      for (const zone of zones) {
        process.env.TZ = zone
        expect([zone, condition.evaluate(bindings({}, { request: new Map([['time', new Date(at)]]) }))]).toEqual([zone, true])
      }
    } finally {
      if (home === undefined) delete process.env.TZ
      else process.env.TZ = home
    }
  })

  test.each(['Mars/Olympus', '', '+25:00', '+2', 'x'.repeat(1_000)])('a zone %j that nobody knows is an error', zone => {
    expect(evaluate('request.time.getHours(args.z) >= 0', { z: zone })).toBe('cel-error')
  })

  test('timestamps and durations are read strictly and counted exactly', () => {
    expect(evaluate('request.time - timestamp("2026-11-21T10:00:00Z") == duration("30m")')).toBe(true)
    expect(evaluate('request.time < timestamp("2026-11-21T12:30:00+01:00") && duration("1h30m") == duration("5400s")')).toBe(true)
    for (const text of ['2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T24:00:00Z', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00']) {
      expect(evaluate('timestamp(args.t) > request.time', { t: text })).toBe('cel-error')
    }
    for (const text of ['', '1', '1h 2m', '1.h.', 'h', '--1h', '1d'])
      expect(evaluate('duration(args.t) > duration("0s")', { t: text })).toBe('cel-error')
  })
})
