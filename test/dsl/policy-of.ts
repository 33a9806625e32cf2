// A policy text made ready to decide, for tests of what comes after the checker.
import type { CheckedPolicy } from '../../dsl/bundle/bundle.ts'
import { resolveBundle } from '../../dsl/bundle/resolve.ts'
import { parsePolicy } from '../../dsl/syntax/parse.ts'

/** Throws what is wrong with it. */
export function policyOf(text: string, file = 'main.policy'): CheckedPolicy {
  const parsed = parsePolicy({ file, text })
  const resolved = parsed.file === undefined ? undefined : resolveBundle([parsed.file], new Set(['redact', 'log', 'limit']))
  const errors = [...parsed.diagnostics, ...(resolved?.diagnostics ?? [])].filter(({ severity }) => severity === 'error')
  if (resolved === undefined || errors.length > 0)
    throw new Error(`${errors.map(({ code, message }) => `${code}: ${message}`).join('\n')}\n${text}`)
  return resolved.bundle as CheckedPolicy
}
