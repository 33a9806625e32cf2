// What the conformance gate lets through.
import { describe, expect, test } from 'vitest'

const { formatReport, judge } = await import(new URL('./report.mjs', import.meta.url).href)

type Row = [scenario: string, required: boolean, passed: boolean, warnings?: string[]]

const cell = (name: string, way: string, rows: Row[], gate = 'all', excused = {}) => ({
  cell: { name, way, gate, excused, revision: '2026-07-28', suite: 'alpha' },
  findings: rows.map(([scenario, required, passed, warnings = []]) => {
    const failed = passed ? [] : [`${scenario}-check`]
    return { scenario, required, passed, failed, warnings, complaints: passed && warnings.length === 0 ? [] : ['why'] }
  }),
})

describe('the gate', () => {
  test('takes no required scenario that fails', () => {
    expect(judge([cell('m/http', 'http', [['ping', true, false]])]).failures).toEqual(['m/http ping'])
  })

  test('takes no unscored scenario that passes directly and fails through the gateway', () => {
    const direct = cell('m/direct', 'direct', [
      ['tasks', false, true],
      ['odd', false, false],
    ])
    const through = cell('m/stdio', 'stdio', [
      ['tasks', false, false],
      ['odd', false, false],
    ])
    expect(judge([direct, through]).failures).toEqual(['m/stdio tasks'])
  })

  test('takes no warning that is not there directly', () => {
    const direct = cell('m/direct', 'direct', [['listen', true, true, ['slow']]])
    expect(judge([direct, cell('m/http', 'http', [['listen', true, true, ['slow']]])]).failures).toEqual([])
    expect(judge([direct, cell('m/http', 'http', [['listen', true, true, ['slow', 'lost']]])]).failures).toEqual(['m/http listen'])
  })

  test('asks only what is required of clients of one era in front of servers of the other, less what is excused', () => {
    const direct = cell('m/direct', 'direct', [['tasks', false, true]])
    const rows: Row[] = [
      ['tasks', false, false],
      ['ping', true, false],
    ]
    expect(judge([direct, cell('m/http-legacy', 'http', rows, 'required')]).failures).toEqual(['m/http-legacy ping'])
    expect(judge([direct, cell('m/http-legacy', 'http', rows, 'required', { 'ping-check': 'because' })]).failures).toEqual([])
  })

  test('says at the end that it passed, or which scenarios it misses and why', () => {
    const passing = [cell('m/http', 'http', [['ping', true, true]])]
    expect(formatReport(passing, judge(passing), 3)).toMatch(/\| m\/http \| 1\/1 .*\n\nconformance: passed in 3 s$/s)
    const failing = [cell('m/http', 'http', [['ping', true, false]])]
    expect(formatReport(failing, judge(failing), 3)).toMatch(/FAILED m\/http ping: why\nconformance: FAILED in 3 s: 1 scenario/)
  })
})
