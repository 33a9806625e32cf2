// What people want to know of a server, and find it by; nothing of how it is reached.
import * as z from 'zod'
import type { AboutShape } from './about.ts'
import { coded } from './fields.ts'

const line = (most: number): z.ZodType<string> =>
  z
    .string()
    .min(1)
    .max(most)
    .refine(value => !/\p{Cc}/u.test(value), coded('bad-value', 'expected one line, without control characters'))

/** A short word. */
export const tag: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, coded('bad-value', 'not a tag: a lower case letter or digit, then at most 31 of these, . - and _'))

export const aboutFields: { readonly [K in keyof AboutShape]-?: z.ZodType<AboutShape[K]> } = {
  description: line(500).optional().meta({ description: 'What it is for; whoever may use it reads this' }),
  owner: line(200)
    .optional()
    .meta({ description: 'Who answers for it', examples: ['team-crm', 'crm@example.com'] }),
  tags: z
    .array(tag)
    .min(1)
    .max(20)
    .refine(tags => new Set(tags).size === tags.length, coded('bad-value', 'a tag stands twice'))
    .optional()
    .meta({ description: 'Short words by which it is found', examples: [['crm', 'production']] }),
}
