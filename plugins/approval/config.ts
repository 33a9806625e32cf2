// What the approval plugin can be told in mcpgw.yaml.
import { z } from 'zod'

export interface ApprovalConfig {
  /** SQLite file, relative to the data directory; unused where the gateway has a PostgreSQL database. */
  readonly path: string
  /** Whether those who decide see the arguments. */
  readonly arguments: 'shown' | 'hidden'
  /** So many requests of one caller may wait at a time. */
  readonly most: number
  /** Days that a request is kept after its end. */
  readonly keep: number
}

export const config: z.ZodType<ApprovalConfig, unknown> = z.strictObject({
  path: z.string().min(1).default('approvals.db').describe('SQLite file in the data directory; unused where store.url names a database.'),
  arguments: z
    .enum(['shown', 'hidden'])
    .default('shown')
    .describe('Whether those who decide see the arguments of the call; masked where `redact` is loaded.'),
  most: z.int().min(1).max(1000).default(20).describe('So many requests of one caller may wait at a time.'),
  keep: z.int().min(0).max(3650).default(7).describe('Days that a request is kept after its end. The audit log has it for longer.'),
})
