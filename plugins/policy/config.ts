// What the policy plugin can be told in mcpgw.yaml.
import { z } from 'zod'

export interface PolicyConfig {
  /** Policy files, or folders of them; the gateway adds those of `policies:`. Relative paths start from `dir`. */
  readonly files: readonly string[]
  /** Set by the gateway: the folder of the config file. */
  readonly dir: string
  /** The catalog lock. Absent: `mcpgw.lock.json` in `dir`, where there is one. */
  readonly lock?: string | undefined
  /** `pinned`: only what the lock has, as the lock has it. */
  readonly catalog: 'open' | 'pinned'
  /** `observe`: decide and report, but let everything through. */
  readonly mode: 'enforce' | 'observe'
  /** `policies:` of the older gateway.yaml, as they stand there. */
  readonly policies?: readonly Readonly<Record<string, unknown>>[] | undefined
}

const path = z.string().min(1)

export const config: z.ZodType<PolicyConfig, unknown> = z.strictObject({
  files: z.array(path).default([]).describe('Policy files, or folders of them, beside those of `policies:`.'),
  dir: path.default('.').describe('Set by the gateway: the folder of the config file.'),
  lock: path.optional().describe('The catalog lock; default mcpgw.lock.json beside the config file, where there is one.'),
  catalog: z
    .enum(['open', 'pinned'])
    .default('open')
    .describe('pinned: a tool that the lock does not have, or has otherwise, is hidden and refused.'),
  mode: z.enum(['enforce', 'observe']).default('enforce').describe('observe: decisions are reported, and everything is let through.'),
  policies: z.array(z.record(z.string(), z.unknown())).optional().describe('Policies of the older gateway.yaml.'),
})
