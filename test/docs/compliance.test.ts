// The page on compliance: each test that it names is there, and it claims nothing that no product can.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'plugins/audit/COMPLIANCE.md'), 'utf8')
const rows = page.split('\n').filter(line => line.startsWith('|') && !/^\| (requirement|-+) /.test(line))

describe('the page on compliance', () => {
  test('names for each requirement a test that exists', () => {
    expect(rows.length).toBeGreaterThan(25)
    for (const row of rows) {
      const [, file, name] = /\| `(test\/[^`]+\.test\.ts)`: (.+?) +\|$/.exec(row) ?? []
      expect(name, row).toBeDefined()
      const source = readFileSync(join(root, file!), 'utf8')
      const isThere = [`'${name}'`, `"${name}"`, `\`${name}\``].some(text => source.includes(text))
      expect(isThere, `${file}: ${name}`).toBe(true)
    }
  })

  test('covers what the gateway is asked for', () => {
    for (const what of [
      '164.312',
      'CC6',
      'CC7',
      '10.2',
      '10.3',
      '10.5',
      '10.6',
      '10.7',
      'article 15',
      'article 17',
      'article 30',
      'article 12',
      'article 19',
      '26(',
      'MCP08',
    ])
      expect(page).toContain(what)
  })

  test.each(['COMPLIANCE.md', 'README.md'])('%s promises nothing that no product can', name => {
    const text = readFileSync(join(root, 'plugins/audit', name), 'utf8')
    expect(text).not.toMatch(/tamper-?proof|immutable|(HIPAA|SOC ?2|PCI|GDPR)[ -]compliant/i)
  })
})
