// What the conformance gate lets through.
import { describe, expect, test } from 'vitest'

const { formatReport, judge } = await import(new URL('./report.mjs', import.meta.url).href)

const cell = (name: string, way: string | undefined, gate: string, findings: [string, boolean, boolean][]) => ({
  cell: { name, way, gate, revision: '2026-07-28', suite: 'alpha' },
  findings: findings.map(([scenario, required, passed]) => ({ scenario, required, passed, complaints: passed ? [] : ['why'] })),
})

describe('the gate', () => {
  test('takes no required scenario that fails', () => {
    const results = [cell('m/http', 'http', 'all', [['ping', true, false]])]
    expect(judge(results).failures).toEqual(['m/http ping'])
  })

  test('takes no unscored scenario that passes directly and fails through the gateway', () => {
    const direct = cell('m/direct', 'direct', 'all', [
      ['tasks', false, true],
      ['odd', false, false],
    ])
    const through = cell('m/stdio', 'stdio', 'all', [
      ['tasks', false, false],
      ['odd', false, false],
    ])
    expect(judge([direct, through]).failures).toEqual(['m/stdio tasks'])
  })

  test('asks only what is required of clients of one era in front of servers of the other', () => {
    const direct = cell('m/direct', 'direct', 'all', [['tasks', false, true]])
    const findings: [string, boolean, boolean][] = [
      ['tasks', false, false],
      ['ping', true, false],
    ]
    expect(judge([direct, cell('m/http-legacy', 'http', 'required', findings)]).failures).toEqual(['m/http-legacy ping'])
    expect(judge([direct, cell('m/http-legacy', 'http', 'none', findings)]).failures).toEqual([])
  })

  test('says at the end that it passed, or which scenarios it misses and why', () => {
    const passing = [cell('m/http', 'http', 'all', [['ping', true, true]])]
    expect(formatReport(passing, judge(passing), 3)).toMatch(/\| m\/http \| 1\/1 .*\n\nconformance: passed in 3 s$/s)
    const failing = [cell('m/http', 'http', 'all', [['ping', true, false]])]
    expect(formatReport(failing, judge(failing), 3)).toMatch(/FAILED m\/http ping: why\nconformance: FAILED in 3 s: 1 scenario/)
  })
})
