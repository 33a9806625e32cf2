// What the redact plugin can be told in mcpgw.yaml.
import { z } from 'zod'
import { usual, words } from './catalog.ts'
import { type Action, actions } from './detector.ts'
import { parsePath } from './field-path.ts'
import { compilePattern, type PatternRule } from './patterns.ts'
import type { PresidioConfig } from './presidio.ts'

const detector = z.enum(words, {
  error: ({ input }) => `no detector is called ${JSON.stringify(input)}; there are ${words.join(', ')}`,
})
const action = z.enum(actions)
const path = z
  .string()
  .refine(text => parsePath(text) !== undefined, { error: 'expected a field path such as $.patient.name or $.cards[*].number' })
const names = z.array(z.string().min(1)).min(1)

/** What is looked for, and what becomes of it. */
export interface Settings {
  readonly detectors: readonly string[]
  readonly actions: Readonly<Record<string, Action | undefined>>
  readonly fields: readonly string[]
  /** Whether models are asked, of the config or of other plugins. */
  readonly models: boolean
}

/** Which messages a rule is for: all that is given must fit. What else it does not say is as without it. */
export interface Rule {
  readonly detectors?: Settings['detectors'] | undefined
  readonly actions?: Settings['actions'] | undefined
  readonly fields?: Settings['fields'] | undefined
  readonly models?: boolean | undefined
  readonly servers?: readonly string[] | undefined
  readonly tools?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
}

export interface RedactConfig extends Settings {
  readonly patterns: readonly PatternRule[]
  readonly rules: readonly Rule[]
  readonly scan: {
    /** Milliseconds for a message that is searched in a thread. */
    readonly deadlineMs: number
    /** A longer message is refused. */
    readonly maxBytes: number
  }
  readonly presidio?: PresidioConfig | undefined
  readonly exempt: { readonly servers: readonly string[]; readonly tools: readonly string[] }
}

const pattern: z.ZodType<PatternRule, unknown> = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and dashes, beginning with a letter')
      .refine(name => !words.includes(name) && name !== 'field', 'this is the name of a detector: take another'),
    pattern: z.string().min(1),
    action: action.default('replace'),
  })
  .superRefine((rule, ctx) => {
    const compiled = compilePattern(rule)
    if (typeof compiled === 'string') ctx.addIssue({ code: 'custom', path: ['pattern'], message: compiled })
  })

const presidio: z.ZodType<PresidioConfig, unknown> = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected the http(s) address of an analyzer, such as http://127.0.0.1:5002' }),
  language: z.string().min(2).default('en'),
  entities: z
    .array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an entity of Presidio, such as PERSON'))
    .min(1)
    .optional()
    .describe('Only these; without it all that it knows.'),
  minScore: z.number().min(0).max(1).default(0.5),
  action: action.default('replace'),
  deadlineMs: z.int().min(50).max(60_000).default(2000),
})

const rule: z.ZodType<Rule, unknown> = z
  .strictObject({
    servers: names.optional().describe('Server ids.'),
    tools: names.optional().describe('Tools, as server__tool.'),
    roles: names.optional().describe('The caller has one of these.'),
    detectors: z.array(detector).optional().describe('In place of those above.'),
    actions: z.partialRecord(detector, action).optional().describe('Over those above, one by one.'),
    fields: z.array(path).optional().describe('Beside those above.'),
    models: z.boolean().optional().describe('Whether models are asked.'),
  })
  .refine(({ servers, tools, roles }) => servers !== undefined || tools !== undefined || roles !== undefined, {
    error: 'expected servers, tools or roles: a rule for everything is what stands above the rules',
  })

export const config: z.ZodType<RedactConfig, unknown> = z.strictObject({
  detectors: z
    .array(detector)
    .default([...usual])
    .describe('Which detectors run, by name or by group: pii, national-ids, network, secrets.'),
  actions: z
    .partialRecord(detector, action)
    .default({})
    .describe(
      'Per detector: mask keeps the last four characters, replace leaves the type, token a keyed digest, drop nothing; block refuses.',
    ),
  fields: z.array(path).default([]).describe('Members that are always masked, in arguments and structured results.'),
  patterns: z
    .array(pattern)
    .default([])
    .refine(given => new Set(given.map(({ name }) => name)).size === given.length, 'two patterns have one name')
    .describe('Own patterns (RE2), looked for beside the detectors.'),
  models: z.boolean().default(true).describe('Whether models are asked: Presidio, and those that other plugins add.'),
  presidio: presidio.optional().describe('An analyzer of Microsoft Presidio, which is sent every text that is to be masked.'),
  rules: z.array(rule).default([]).describe('For some servers, tools or roles; the first that fits counts.'),
  scan: z
    .strictObject({
      deadlineMs: z.int().min(50).max(60_000).default(4000).describe('How long a message over 64 KB may be searched; then it is refused.'),
      maxBytes: z.int().min(1024).default(16_777_216).describe('A longer message is refused.'),
    })
    .prefault({}),
  exempt: z
    .strictObject({
      servers: z.array(z.string().min(1)).default([]).describe('Server ids whose messages no detector looks at.'),
      tools: z.array(z.string().min(1)).default([]).describe('Tools, as server__tool.'),
    })
    .prefault({}),
})
