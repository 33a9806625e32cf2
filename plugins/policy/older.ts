// `policies:` of the older gateway.yaml as a policy text, so that they are enforced by the same evaluator.
import { importPolicies, type Source } from 'mcpgw/policy'
import type { PolicyConfig } from './config.ts'

/** What findings call it. */
const NAME = 'gateway.yaml:policies'

export function olderSources({ policies }: Pick<PolicyConfig, 'policies'>): {
  readonly sources: readonly Source[]
  readonly problems: readonly string[]
} {
  if (policies === undefined) return { sources: [], problems: [] }
  const imported = importPolicies(policies)
  if (imported.ok) return { sources: [{ file: NAME, text: imported.text }], problems: [] }
  return { sources: [], problems: imported.problems.map(({ path, message }) => `policies${pathText(path)}: ${message}`) }
}

function pathText(path: readonly (string | number)[]): string {
  return path.map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
}
