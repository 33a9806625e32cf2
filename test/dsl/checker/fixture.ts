// A lock and short ways to check a text, for the tests of the checker.
import { checkPolicies } from '../../../dsl/checker/check.ts'
import type { CheckContext } from '../../../dsl/checker/context.ts'
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts'
import type { JsonSchema, Lock, LockedServer, LockedTool } from '../../../dsl/lock/lock.ts'

export const now = new Date('2026-11-25T12:00:00Z')

export function tool(name: string, more: Partial<LockedTool> = {}, properties: Record<string, JsonSchema> = {}): LockedTool {
  return { name, digest: name.length.toString(16).padStart(64, '0'), inputSchema: { type: 'object', properties }, ...more }
}

export function server(tools: readonly LockedTool[], more: Partial<LockedServer> = {}): LockedServer {
  return { tools, resources: [], templates: [], prompts: [], ...more }
}

export const lock: Lock = {
  v: 1,
  servers: {
    crm: server([tool('get_customer', {}, { customer_id: { type: 'string' } }), tool('get_order'), tool('search_customers')]),
    git: server([tool('git_push', { annotations: { destructiveHint: true } }), tool('git_log'), tool('git_status')]),
    docs: server([], {
      resources: [{ uri: 'file:///handbook/index.md', digest: 'a'.repeat(64) }],
      templates: [{ uriTemplate: 'wiki://{page}', digest: 'b'.repeat(64) }],
      prompts: [{ name: 'summarise_page', digest: 'c'.repeat(64) }],
    }),
  },
  roles: ['admin', 'support'],
  tenants: ['acme'],
  dischargers: ['limit', 'log', 'redact'],
}

const head = 'policy "p" edition 1\n'

export function check(text: string, context: Partial<CheckContext> = { lock }): readonly Diagnostic[] {
  return checkPolicies([{ file: 'p.policy', text: `${head}${text}` }], { now, ...context }).diagnostics
}

/** `code: underlined text: message`, hints of coverage and of the missing lock left out. */
export function told(text: string, context?: Partial<CheckContext>): string[] {
  return check(text, context)
    .filter(({ code }) => code !== 'not-covered' && code !== 'no-lock' && code !== 'style')
    .map(({ code, span, message }) => `${code}: ${`${head}${text}`.slice(span.start, span.end)}: ${message}`)
}
