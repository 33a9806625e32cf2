// A bundle whose evaluator is a function of the test: what the plugin does with decisions, whoever makes them.
import type { Facts, PolicyDecision } from 'mcpgw/policy'
import type { Bundle, compileBundle } from '../../../plugins/policy/bundle.ts'

export const denied: PolicyDecision = { outcome: 'deny', by: 'default', obligations: [], errors: [], shadow: [] }
export const allowedBy = (...by: string[]): PolicyDecision => ({ outcome: 'allow', by, obligations: [], errors: [], shadow: [] })

export interface FakeRules {
  decide(facts: Facts): PolicyDecision
  narrow?(name: string): 'show' | 'hide'
  /** `call vault/read`. */
  readonly after?: readonly string[]
}

/** In place of `compileBundle`. */
export function compiling({ decide, narrow = () => 'show', after = [] }: FakeRules): typeof compileBundle {
  const watched = after.map(text => {
    const [action, target = ''] = text.split(' ')
    return {
      action: action as 'call',
      text,
      matches: (server: string, name: string) => `${server}/${name}` === target,
    }
  })
  const bundle = {
    policy: { files: [], rules: [{ name: 'one' }] },
    evaluator: { decide, narrow: (_: unknown, { name }: { name: string }) => narrow(name) },
    digest: 'sha256:test',
    files: 1,
    rules: new Map([['one', { name: 'one', effect: 'allow', at: 'a.policy:3' }]]),
    watched,
    withinMs: 60_000,
    warnings: [],
  }
  return () => bundle as unknown as Bundle
}
