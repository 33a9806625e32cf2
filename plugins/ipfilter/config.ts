// What the ipfilter plugin can be told in mcpgw.yaml.
import { readRanges, type StandardSchemaV1 } from 'mcpgw/plugin'
import { z } from 'zod'

export interface IpfilterConfig {
  /** Absent: all that are not denied. */
  readonly allow?: readonly string[] | undefined
  readonly deny: readonly string[]
}

const ranges = z
  .array(z.string())
  .max(100_000)
  .superRefine((texts, ctx) => {
    for (const [at, text] of texts.entries()) {
      const why = findFault(text)
      if (why !== undefined) ctx.addIssue({ code: 'custom', path: [at], message: why })
    }
  })

export const config: StandardSchemaV1<unknown, IpfilterConfig> = z
  .strictObject({
    allow: ranges.min(1, 'an empty list lets nobody in: leave it out to let in all that are not denied').optional(),
    deny: ranges.default([]),
  })
  .refine(({ allow, deny }) => allow !== undefined || deny.length > 0, 'expected allow, deny, or both')

function findFault(text: string): string | undefined {
  try {
    readRanges([text])
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
