// What the ratelimit plugin can be told in mcpgw.yaml.
import { z } from 'zod'

export interface RatelimitConfig {
  /** Requests a minute of each principal; absent: only the limits of policies hold. */
  readonly defaultPerMinute?: number | undefined
  /** So many times as much may come at once. */
  readonly burstMultiplier: number
  /** By key id, in place of the default. */
  readonly keys: Readonly<Record<string, number>>
}

const perMinute = z.int().min(1).max(1_000_000)

export const config: z.ZodType<RatelimitConfig, unknown> = z.strictObject({
  defaultPerMinute: perMinute.optional().describe('Requests a minute of each principal. Without it only the limits of policies hold.'),
  burstMultiplier: z.number().positive().max(1000).default(1).describe('So many times the requests of a minute may come at once.'),
  keys: z.record(z.string(), perMinute).default({}).describe('Requests a minute by the id of an API key, in place of the default.'),
})
