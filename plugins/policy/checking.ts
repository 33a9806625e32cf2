// What the operation `policy_check` is answered from, in a process of its own: a large bundle takes a while to check.
import type { ApartWork } from 'mcpgw/plugin'
import { checkPolicies, type Diagnostic, type Lock, readLock, renderReport, type Source, sortDiagnostics } from 'mcpgw/policy'
import { readLockFile } from './catalog/lock-file.ts'

export interface PolicyCheck {
  readonly sources: readonly Source[]
  /** Path of the catalog lock, which need not be there. */
  readonly lock: string
  readonly dischargers: readonly string[]
}

export const work: ApartWork = async ({ input, clock }) => {
  const { sources, lock: path, dischargers } = input as PolicyCheck
  const found = await readLockFile(path)
  const read: { lock?: Lock | undefined; diagnostics: readonly Diagnostic[] } =
    found === undefined ? { diagnostics: [] } : readLock(found.text, path)
  const { lock } = read
  const { diagnostics } = checkPolicies(sources, { ...(lock && { lock }), dischargers: new Set(dischargers), now: new Date(clock.now()) })
  const texts = found === undefined ? sources : [...sources, { file: path, text: found.text }]
  const all = sortDiagnostics([...read.diagnostics, ...diagnostics], texts)
  return JSON.parse(renderReport('json', { diagnostics: all, sources: texts, failLevel: 'warning' })) as unknown
}
