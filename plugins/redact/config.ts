// What the redact plugin can be told in mcpgw.yaml.
import { z } from 'zod'
import { ids } from './catalog.ts'
import type { Action } from './detector.ts'
import { parsePath } from './field-path.ts'

const words = [...ids, 'secrets'] as const
const detector = z.enum(words)
const path = z
  .string()
  .refine(text => parsePath(text) !== undefined, { error: 'expected a field path such as $.patient.name or $.cards[*].number' })

export interface RedactConfig {
  readonly detectors: readonly string[]
  readonly actions: Readonly<Record<string, Action | undefined>>
  readonly fields: readonly string[]
  readonly exempt: { readonly servers: readonly string[]; readonly tools: readonly string[] }
}

export const config: z.ZodType<RedactConfig, unknown> = z.strictObject({
  detectors: z
    .array(detector)
    .default(['card', 'ssn', 'iban', 'email', 'secrets'])
    .describe('Which detectors run; `secrets` is all that are not personal data.'),
  actions: z
    .partialRecord(detector, z.enum(['mask', 'replace']))
    .default({})
    .describe('Per detector: mask keeps the last four characters, replace leaves the type.'),
  fields: z.array(path).default([]).describe('Members that are always masked, in arguments and structured results.'),
  exempt: z
    .strictObject({
      servers: z.array(z.string().min(1)).default([]).describe('Server ids whose messages no detector looks at.'),
      tools: z.array(z.string().min(1)).default([]).describe('Tools, as server__tool.'),
    })
    .prefault({}),
})
