// The plugin's settings, checked strictly at the start.
import type { StandardSchemaV1 } from 'mcpgw/plugin'
import { z } from 'zod'
import { type AnchorConfig, anchorList } from './anchor-settings.ts'
import { duration } from './duration.ts'
import { type ExportConfig, exportList } from './exports/config.ts'
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
  /** PEM file of the Ed25519 key that signs checkpoints, relative to the data directory. Absent: beside the log. */
  readonly signingKey?: string | undefined
  /** There is a checkpoint after so many records, and at the latest after so many ms where anything has changed. */
  readonly checkpoints: { readonly records: number; readonly every: number }
  /** Where checkpoints are kept out of the reach of whoever can change the log. */
  readonly anchors: readonly AnchorConfig[]
  /** ms that a checkpoint may wait for its anchors before health is degraded. */
  readonly anchorLag: number
  /** Where the records go on their own, as they become durable. */
  readonly exports: readonly ExportConfig[]
  /** How long the log is kept, and the folder of the files that have what went, relative to the data directory. Absent: for ever. */
  readonly retention?: { readonly days: number; readonly folder: string } | undefined
}

/** Days, each with some to spare. */
const PROFILES = { 'pci-12m': 400, 'hipaa-6y': 2200, 'eu-ai-act-6m': 190 } as const

const deadline = duration.pipe(z.number().min(10, 'expected at least 10 ms').max(60_000, 'expected at most 60 s'))
const interval = duration.pipe(
  z
    .number()
    .min(1000, 'expected at least 1 s')
    .max(24 * 3_600_000, 'expected at most 24 h'),
)

const retention = z
  .strictObject({
    profile: z.enum(['pci-12m', 'hipaa-6y', 'eu-ai-act-6m']).optional(),
    keep: z
      .string()
      .regex(/^[1-9]\d{0,4}d$/, 'expected days, such as "400d"')
      .optional(),
    export: z.string().min(1),
  })
  .refine(({ profile, keep }) => (profile === undefined) !== (keep === undefined), 'expected either profile or keep')
  .transform(({ profile, keep, export: folder }) => ({
    days: profile === undefined ? Number.parseInt(keep!, 10) : PROFILES[profile],
    folder,
  }))

export const config: StandardSchemaV1<unknown, AuditConfig> = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine(path => path !== ':memory:', 'a log in memory proves nothing: give a file')
    .default('audit.db'),
  durability: z.enum(['full', 'os']).default('full'),
  deadline: deadline.default(2000),
  onAuditFailure: z.enum(['deny', 'degrade']).default('deny'),
  maxRecordBytes: z.int().min(1024).max(16_777_216).default(65_536),
  content: z.enum(levels).default('args'),
  signingKey: z.string().min(1).optional(),
  checkpoints: z
    .strictObject({ records: z.int().min(1).max(1_000_000).default(1000), every: interval.default(60_000) })
    .default({ records: 1000, every: 60_000 }),
  anchors: anchorList,
  anchorLag: interval.default(300_000),
  exports: exportList,
  retention: retention.optional(),
})
