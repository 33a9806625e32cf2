// The page of diagnostics is true: each wrong example gives its code and only it, each right one gives none.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkPolicies, loadPolicies } from '../../../dsl/checker/check.ts'
import { findUnreached } from '../../../dsl/checker/unreached.ts'
import { catalogue, type DiagnosticCode } from '../../../dsl/diagnostics/catalogue.ts'
import type { Lock } from '../../../dsl/lock/lock.ts'
import { readLock } from '../../../dsl/lock/read-lock.ts'
import { runTests } from '../../../dsl/testing/run-tests.ts'
import { readBlocks } from '../../docs/blocks.ts'

const page = readFileSync(new URL('../../../dsl/DIAGNOSTICS.md', import.meta.url), 'utf8')
const [top, ...parts] = page.split(/^## (?=`)/m)
const sections = new Map(parts.map(part => [/^`([a-z-]+)`/.exec(part)?.[1] ?? '', part.split(/^# /m)[0]!]))
/** The day on which the examples are read. */
const now = new Date(`${/read on (\d{4}-\d\d-\d\d)/.exec(top!)?.[1]}T12:00:00Z`)

function lockIn(text: string): Lock {
  const { lock, diagnostics } = readLock(text, 'mcpgw.lock.json')
  expect(diagnostics).toEqual([])
  return lock!
}
const shared = lockIn(readBlocks(top!).find(block => block.language === 'json')!.text)

const { crm: _, ...others } = shared.servers
/** What beside its text makes an example wrong. */
const lockOfWrong: Partial<Record<string, Lock>> = {
  'server-unreached': { ...shared, servers: others, unreached: [{ id: 'crm', why: 'it ended' }] },
}

/** Found where tests are run or servers asked: a gateway that loads a bundle does not look for them. */
const ofNoBundle: readonly string[] = ['test-failed', 'server-unreached']

/** Of every example; each has a section of its own, where it counts. */
const aside: readonly DiagnosticCode[] = ['no-lock', 'not-covered']

function codesOf(text: string, code: string, live: Lock | undefined, known = shared): string[] {
  const lock = code === 'no-lock' ? undefined : known
  const { files, diagnostics: own, policy } = checkPolicies([{ file: 'example.policy', text }], { lock, live, now })
  const diagnostics = lock === undefined ? own : [...own, ...findUnreached(files, lock)]
  if (code === 'test-failed' && policy !== undefined) return runTests(policy, { now, lock }).results.flatMap(one => one.failure?.code ?? [])
  return [...new Set(diagnostics.map(one => one.code))].filter(one => one === code || !aside.includes(one))
}

test('the page has every code once, in the order of the catalogue', () => {
  expect([...sections.keys()]).toEqual(Object.keys(catalogue))
  expect(parts).toHaveLength(sections.size)
})

describe.each(Object.entries(catalogue))('%s', (code, { severity }) => {
  const section = sections.get(code) ?? ''
  const blocks = readBlocks(section)
  // Between the two, what the servers offer now.
  const offered = blocks.length === 3 ? blocks[1] : undefined
  const [wrong, right] = [blocks[0], blocks.at(-1)]

  test(`is a ${severity} on the page, too`, () => {
    expect(
      section
        .split('\n')
        .slice(1)
        .find(line => line !== ''),
    ).toMatch(new RegExp(`^_${severity}_ · [A-Z\`]`))
  })

  test('is what its wrong example gives, and only that', () => {
    if (wrong!.language === 'json') expect(readLock(wrong!.text, 'mcpgw.lock.json').diagnostics.map(one => one.code)).toEqual([code])
    else expect(codesOf(wrong!.text, code, offered && lockIn(offered.text), lockOfWrong[code])).toEqual([code])
  })

  test.runIf(severity === 'error' && wrong?.language !== 'json' && !ofNoBundle.includes(code))('keeps a gateway from loading it', () => {
    const { diagnostics, policy } = loadPolicies([{ file: 'example.policy', text: wrong!.text }], { lock: shared, now })
    expect(diagnostics.map(one => one.code)).toContain(code)
    expect(policy).toBeUndefined()
  })

  test('is not what its right example gives, nor anything else', () => {
    expect(right).not.toBe(wrong)
    if (right!.language === 'json') expect(readLock(right!.text, 'mcpgw.lock.json').diagnostics).toEqual([])
    else if (code === 'no-lock')
      expect(checkPolicies([{ file: 'a', text: right!.text }], { lock: shared, now }).diagnostics.map(one => one.code)).toEqual([
        'not-covered',
      ])
    else expect(codesOf(right!.text, code, undefined)).toEqual([])
  })
})
