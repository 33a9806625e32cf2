// The note of a decision: what is kept of one for the next never says anything of another bundle.
import type { PolicyDecision } from 'mcpgw/policy'
import { expect, test } from 'vitest'
import type { Exchange } from '../../../core/plugin/index.ts'
import type { Bundle } from '../../../plugins/policy/bundle.ts'
import { createRecorder } from '../../../plugins/policy/record.ts'
import { allowedBy } from './fake-bundle.ts'

const metric = { inc() {}, observe() {}, set() {} }
const log = { debug() {}, info() {}, warn() {}, error() {} }
const recorder = createRecorder({ metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric }, log }, false)

function noteOf(bundle: Bundle, decision: PolicyDecision): unknown {
  const notes = new Map<string, unknown>()
  const x = { id: 'x', notes, note: (key: string, value: unknown) => void notes.set(key, value) } as unknown as Exchange
  recorder.decided(x, bundle, undefined, decision, 5)
  return notes.get('policy.decision')
}

function bundleWith(digest: string, at: string): Bundle {
  return { digest, rules: new Map(['one', 'two'].map(name => [name, { name, effect: 'allow', at: `${at}:${name}` }])) } as unknown as Bundle
}

test('a note says where its rules stand in the bundle that decided, however often and by whatever bundle they decided before', () => {
  const [old, reloaded] = [bundleWith('sha256:old', 'a.policy'), bundleWith('sha256:new', 'b.policy')]
  for (let round = 0; round < 2; round++) {
    for (const [bundle, at] of [
      [old, 'a.policy'],
      [reloaded, 'b.policy'],
    ] as const) {
      for (const rule of ['one', 'two'])
        expect(noteOf(bundle, allowedBy(rule))).toMatchObject({ bundle: bundle.digest, rules: [{ rule, at: `${at}:${rule}` }] })
      const both = { ...allowedBy('one'), by: ['one', 'two'] }
      expect(noteOf(bundle, both)).toMatchObject({
        rules: [
          { rule: 'one', at: `${at}:one` },
          { rule: 'two', at: `${at}:two` },
        ],
      })
    }
  }
})
