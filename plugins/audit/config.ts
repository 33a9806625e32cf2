// The plugin's settings, checked strictly at the start.
import type { StandardSchemaV1 } from 'mcpgw/plugin'
import { z } from 'zod'
import { type Level, levels } from './level.ts'

export interface AuditConfig {
  /** SQLite file, relative to the data directory. */
  readonly path: string
  /** `full`: fsync before the reply. `os`: survives a kill of the process, not of the machine. */
  readonly durability: 'full' | 'os'
  /** Milliseconds within which a record must be durable. */
  readonly deadline: number
  /** What happens to calls while nothing can be recorded. */
  readonly onAuditFailure: 'deny' | 'degrade'
  /** Arguments longer than this (bytes of JSON) are stored as a digest and a preview. */
  readonly maxRecordBytes: number
  /** What is kept of a call at least; a policy may ask for more. */
  readonly content: Level
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

const duration = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m)$/, 'expected a duration such as "2s" or "500ms", or milliseconds')])
  .transform(value => {
    if (typeof value === 'number') return value
    const [, amount, unit] = /^([\d.]+)\s*(\w+)$/.exec(value)!
    return Number(amount) * UNITS[unit!]!
  })
  .pipe(z.number().min(10, 'expected at least 10 ms').max(60_000, 'expected at most 60 s'))

export const config: StandardSchemaV1<unknown, AuditConfig> = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine(path => path !== ':memory:', 'a log in memory proves nothing: give a file')
    .default('audit.db'),
  durability: z.enum(['full', 'os']).default('full'),
  deadline: duration.default(2000),
  onAuditFailure: z.enum(['deny', 'degrade']).default('deny'),
  maxRecordBytes: z.int().min(1024).max(16_777_216).default(65_536),
  content: z.enum(levels).default('args'),
})
