// Each format carries every finding with its place, and no text of a policy can break out of it.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { catalogue } from '../../../../dsl/diagnostics/catalogue.ts'
import { renderReport, reportFormats } from '../../../../dsl/diagnostics/render.ts'
import { countFindings, isClean, sortDiagnostics } from '../../../../dsl/diagnostics/report.ts'
import { sample } from './sample.ts'
import { sarifSchema } from './sarif-schema.ts'

describe('pretty', () => {
  test('shows where, underlines it, and says how to mend it', () => {
    expect(renderReport('pretty', { ...sample, diagnostics: sample.diagnostics.slice(0, 1) })).toBe(
      [
        'error[unknown-tool]: the lock has no tool `crm/get_custmer`',
        '  --> team/a b.policy:3:7',
        '3 |  call crm/get_custmer',
        '  |       ^^^^^^^^^^^^^^^',
        '  ::: team/a b.policy:2:1',
        '2 | allow a {',
        '  | ------- in this rule',
        '  = help: did you mean `crm/get_customer`?',
        '  = fix: write `crm/get_customer`',
        '  = example: {"principal":{"id":"x"},"call":"crm/get_custmer","args":{"n":1}}',
        '',
      ].join('\n'),
    )
  })

  test('lets no control character through, and has colour only where it is asked for', () => {
    expect(renderReport('pretty', sample)).not.toMatch(/[^\P{Cc}\n]/u)
    expect(renderReport('pretty', sample, { color: true })).toContain('\u001b[31;1merror\u001b[0m[unknown-tool]')
  })
})

describe('json', () => {
  test('has the members that scripts depend on', () => {
    const { v, ok, diagnostics } = JSON.parse(renderReport('json', sample)) as { v: number; ok: boolean; diagnostics: object[] }
    expect([v, ok]).toEqual([1, false])
    expect(diagnostics[0]).toEqual({
      code: 'unknown-tool',
      severity: 'error',
      message: 'the lock has no tool `crm/get_custmer`',
      file: 'team/a b.policy',
      line: 3,
      column: 7,
      endLine: 3,
      endColumn: 22,
      help: 'did you mean `crm/get_customer`?',
      witness: { principal: { id: 'x' }, call: 'crm/get_custmer', args: { n: 1 } },
    })
    expect(diagnostics[1]).toMatchObject({ line: 1, column: 1, endLine: 2, endColumn: 2 })
  })

  test('is ok where nothing is as bad as the level that fails', () => {
    const hints = sample.diagnostics.slice(2)
    expect(JSON.parse(renderReport('json', { ...sample, diagnostics: hints }))).toMatchObject({ ok: true })
    expect(JSON.parse(renderReport('json', { ...sample, diagnostics: hints, failLevel: 'hint' }))).toMatchObject({ ok: false })
    expect(isClean({ diagnostics: sample.diagnostics.slice(1), failLevel: 'error' })).toBe(true)
  })
})

describe('sarif', () => {
  // The whole official schema where it is at hand, else what it says of the parts in use.
  const official = process.env.SARIF_SCHEMA
  const schema = official === undefined ? sarifSchema : withoutDialect(JSON.parse(readFileSync(official, 'utf8')) as object)
  // A pattern of the official one is no regular expression with the flag `u`.
  const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema)

  test('is valid, and knows every code', () => {
    const log = JSON.parse(renderReport('sarif', sample, { version: '1.2.3' })) as SarifLog
    expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
    expect(validate(JSON.parse(renderReport('sarif', { ...sample, diagnostics: [], sources: [] })))).toBe(true)
    expect(log.runs[0]!.tool.driver.rules.map(rule => rule.id)).toEqual(Object.keys(catalogue))
    for (const result of log.runs[0]!.results) expect(log.runs[0]!.tool.driver.rules[result.ruleIndex]!.id).toBe(result.ruleId)
  })

  test('names files by references that stay what they are', () => {
    const uris = (JSON.parse(renderReport('sarif', sample)) as SarifLog).runs[0]!.artifacts.map(one => one.location.uri)
    expect(uris).toEqual(['team/a%20b.policy', 'clean.policy', '%3C%26%22%07%EF%BF%BD%3E.policy'])
    const other = (file: string): string => {
      const log = JSON.parse(renderReport('sarif', { ...sample, diagnostics: [], sources: [{ file, text: '' }] })) as SarifLog
      return log.runs[0]!.artifacts[0]!.location.uri
    }
    expect(other('/etc/a#b.policy')).toBe('file:///etc/a%23b.policy')
    expect(other('C:\\team\\a.policy')).toBe('file:///C:/team/a.policy')
    expect(other('a:b.policy')).toBe('./a:b.policy')
  })
})

describe('github', () => {
  test('is one command a finding, whatever the text', () => {
    const lines = renderReport('github', sample).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^::error file=team\/a b\.policy,line=3,endLine=3,col=7,endColumn=21,title=unknown-tool::the lock has no tool/)
    expect(lines[0]).toContain('%0Ahelp: did you mean')
    expect(lines[1]).toMatch(/^::warning .*,line=1,endLine=2,col=1,title=expired::100%25, a: b$/)
    expect(lines[2]).toMatch(/^::notice /)
  })
})

describe('junit', () => {
  test('has a case for every finding and for every clean file, and hints pass', () => {
    const xml = renderReport('junit', sample)
    expect(xml.match(/<testcase /g)).toHaveLength(4)
    expect(xml.match(/<failure /g)).toHaveLength(2)
    expect(xml).toContain('tests="4" failures="2" errors="0"')
    expect(xml).toContain('<testcase classname="clean.policy" name="no findings"/>')
  })

  test('is XML 1.0 whatever the text', () => {
    const xml = renderReport('junit', sample)
    expect(xml).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u)
    expect(xml).toContain('name="&lt;&amp;&quot;')
    const tags = xml.replace(/^<\?xml[^>]*\?>/, '').replace(/"[^"<]*"/g, '""')
    const open: string[] = []
    for (const [, close, name, self] of tags.matchAll(/<(\/?)([a-z-]+)[^<>]*?(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name)
      else if (self !== '/') open.push(name!)
    }
    expect(open).toEqual([])
    expect(tags.replace(/<\/?[a-z-]+[^<>]*>/g, '')).not.toMatch(/[<]|&(?!(amp|lt|gt|quot|#\d+);)/)
  })
})

test('every format renders nothing without complaint', () => {
  for (const format of reportFormats) expect(typeof renderReport(format, { ...sample, diagnostics: [], sources: [] })).toBe('string')
})

test('findings come in the order of files and text, each once', () => {
  const [a, b, c] = sample.diagnostics
  expect(sortDiagnostics([c!, b!, a!, { ...b! }], sample.sources)).toEqual([a, b, c])
  expect(countFindings(sample.diagnostics)).toBe('1 error, 1 warning, 1 hint')
  expect(countFindings([])).toBe('')
})

interface SarifLog {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
    readonly artifacts: readonly { readonly location: { readonly uri: string } }[]
    readonly results: readonly { readonly ruleId: string; readonly ruleIndex: number }[]
  }[]
}

function withoutDialect(schema: object): object {
  const { $schema: _, id: __, ...rest } = schema as Record<string, unknown>
  return rest
}
