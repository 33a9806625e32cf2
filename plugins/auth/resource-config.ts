// The config of the gateway as a protected resource of OAuth 2.1: its public url, and which scopes are needed for what.
import { z } from 'zod'
import { isAskable } from './jwt-config.ts'

export interface StepUp {
  readonly server: string
  readonly tool?: string | undefined
  readonly scopes: readonly string[]
}

export interface ResourceConfig {
  /** Without a slash at its end, and without /mcp. */
  readonly url: string
  readonly name?: string | undefined
  readonly scopes: readonly string[]
  readonly stepUp: readonly StepUp[]
}

// Spec: RFC 6749, 3.3, scope-token: no space, no quote, no backslash.
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'a scope is visible ASCII without quote and backslash')
const glob = z.string().min(1)

export const resourceSchema: z.ZodType<ResourceConfig> = z.strictObject({
  url: z
    .string()
    .refine(isAskable, 'expected an https url, or http on this machine, without query and fragment')
    .transform(url => url.replace(/\/+$/, ''))
    .refine(url => !url.endsWith('/mcp'), 'expected the url under which the gateway is reached, without /mcp')
    .describe('Under which clients reach the gateway'),
  name: z.string().min(1).optional().describe('For people'),
  scopes: z.array(scope).default([]).describe('That each token needs'),
  stepUp: z
    .array(z.strictObject({ server: glob.default('*'), tool: glob.optional(), scopes: z.array(scope).min(1) }))
    .default([])
    .describe('More scopes, for what matches'),
})
