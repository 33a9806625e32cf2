// What the redact plugin can be told in mcpgw.yaml.
import { z } from 'zod'
import { ids } from './catalog.ts'
import { type Action, actions } from './detector.ts'
import { parsePath } from './field-path.ts'
import { compilePattern, type PatternRule } from './patterns.ts'

const words = [...ids, 'secrets'] as const
const detector = z.enum(words)
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
}

/** Which messages a rule is for: all that is given must fit. What else it does not say is as without it. */
export interface Rule {
  readonly detectors?: Settings['detectors'] | undefined
  readonly actions?: Settings['actions'] | undefined
  readonly fields?: Settings['fields'] | undefined
  readonly servers?: readonly string[] | undefined
  readonly tools?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
}

export interface RedactConfig extends Settings {
  readonly patterns: readonly PatternRule[]
  readonly rules: readonly Rule[]
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

const rule: z.ZodType<Rule, unknown> = z
  .strictObject({
    servers: names.optional().describe('Server ids.'),
    tools: names.optional().describe('Tools, as server__tool.'),
    roles: names.optional().describe('The caller has one of these.'),
    detectors: z.array(detector).optional().describe('In place of those above.'),
    actions: z.partialRecord(detector, action).optional().describe('Over those above, one by one.'),
    fields: z.array(path).optional().describe('Beside those above.'),
  })
  .refine(({ servers, tools, roles }) => servers !== undefined || tools !== undefined || roles !== undefined, {
    error: 'expected servers, tools or roles: a rule for everything is what stands above the rules',
  })

export const config: z.ZodType<RedactConfig, unknown> = z.strictObject({
  detectors: z
    .array(detector)
    .default(['card', 'ssn', 'iban', 'email', 'secrets'])
    .describe('Which detectors run; `secrets` is all that are not personal data.'),
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
  rules: z.array(rule).default([]).describe('For some servers, tools or roles; the first that fits counts.'),
  exempt: z
    .strictObject({
      servers: z.array(z.string().min(1)).default([]).describe('Server ids whose messages no detector looks at.'),
      tools: z.array(z.string().min(1)).default([]).describe('Tools, as server__tool.'),
    })
    .prefault({}),
})
