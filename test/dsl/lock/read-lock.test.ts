// The lock is read strictly: as it was written, or not at all and with the place of what is wrong.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readLock } from '../../../dsl/lock/read-lock.ts'
import { positionOf } from '../../../dsl/span.ts'

const digest = 'a'.repeat(64)
const tool = { name: 'get', digest, inputSchema: { type: 'object', properties: { constructor: { type: 'string' } } } }
const server = { tools: [tool], resources: [], templates: [], prompts: [{ name: 'p', digest, arguments: [{ name: 'x', required: true }] }] }
const whole = { v: 1, servers: { crm: server }, roles: ['support'], tenants: [], dischargers: ['log'] }

function problems(text: string): string[] {
  return readLock(text, 'lock.json').diagnostics.map(({ code, message, span }) => {
    const { line, column } = positionOf(text, span.start)
    return `${code} ${line}:${column} ${message}`
  })
}
const changed = (change: (lock: typeof whole) => unknown): string => JSON.stringify(change(structuredClone(whole)))

describe('a lock', () => {
  test('is read as it was written, its records without a prototype', () => {
    const { lock, diagnostics } = readLock(JSON.stringify(whole), 'lock.json')
    expect(diagnostics).toEqual([])
    expect(JSON.parse(JSON.stringify(lock))).toEqual(whole)
    expect(lock!.servers.constructor).toBeUndefined()
  })

  test('that is no JSON is refused where it breaks', () => {
    expect(problems('{\n  "v": 1,\n  oops\n}')).toEqual(['bad-lock 3:3 the lock is not JSON: invalid symbol'])
    expect(problems('')).toEqual(['bad-lock 1:1 the lock is not JSON: value expected'])
    expect(problems('[]')).toEqual(['bad-lock 1:1 expected an object as the lock, found a list'])
    expect(problems('['.repeat(100_000))).toEqual(['bad-lock 1:1 the lock is nested deeper than 200 levels'])
  })

  test('of another version, with an unknown or a missing member, or a wrong kind is refused', () => {
    expect(problems(changed(lock => ({ ...lock, v: 2 })))).toEqual(['bad-lock 1:6 expected `1` as `v`, found `2`'])
    expect(problems(changed(lock => ({ ...lock, rolls: [] })))[0]).toContain('the lock has no member `rolls`')
    expect(problems(JSON.stringify({ ...whole, roles: undefined }))).toEqual(['bad-lock 1:1 the lock lacks its member `roles`'])
    expect(problems(changed(lock => ({ ...lock, roles: 'support' })))[0]).toContain('expected a list as `roles`, found `"support"`')
    const wrong = changed(lock => ({ ...lock, servers: { crm: { ...server, tools: [{ ...tool, digest: 'x' }] } } }))
    expect(problems(wrong)[0]).toContain('expected a SHA-256 in hex as `servers.crm.tools[0].digest`, found `"x"`')
  })

  test('says nothing twice: no member, no tool, no role', () => {
    expect(problems('{"v":1,"v":1,"servers":{},"roles":[],"tenants":[],"dischargers":[]}')[0]).toContain('the member `v` twice')
    expect(problems(changed(lock => ({ ...lock, roles: ['a', 'a'] })))[0]).toContain('`roles` has `a` twice')
    const twice = changed(lock => ({ ...lock, servers: { crm: { ...server, tools: [tool, tool] } } }))
    expect(problems(twice)[0]).toContain('`servers.crm.tools` has `get` twice')
  })

  test('of any text is read or refused, never thrown at', () => {
    const text = JSON.stringify(whole)
    const runs = Number(process.env.FUZZ_RUNS ?? 300)
    const seed = Number(process.env.FUZZ_SEED ?? 4)
    const at = fc.integer({ min: 0, max: text.length })
    fc.assert(
      fc.property(at, at, fc.string({ maxLength: 5 }), (from, to, put) => {
        const { lock, diagnostics } = readLock(text.slice(0, from) + put + text.slice(to), 'lock.json')
        expect(lock === undefined).toBe(diagnostics.length > 0)
      }),
      { numRuns: runs, seed },
    )
  })
})
