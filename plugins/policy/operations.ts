// What operators can ask of policies through the gateway itself: what is in force, what would be wrong with files, and why a call is decided as it is.
import { createTurns, defineOperation, type JsonObject, type Operation, type OperationAnswer, type PluginContext } from 'mcpgw/plugin'
import { readCall } from 'mcpgw/policy'
import { z } from 'zod'
import { lockPath } from './catalog/lock-file.ts'
import type { PolicyCheck } from './checking.ts'
import type { PolicyConfig } from './config.ts'
import { explainCall } from './explained.ts'
import type { Loaded } from './loading.ts'

export interface PolicyOperations {
  readonly list: readonly Operation[]
  /** Resolves when nothing is checked any more. */
  close(): Promise<void>
}

/** Processes that check at once, and how many callers wait for one. */
const AT_ONCE = 1
const WAITING = 16
const MOST_TEXT = 4 * 1024 * 1024
// This file is TypeScript where the sources are run as they are.
const module = new URL(`./checking${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

const refused = (code: 'invalid-arguments' | 'unavailable', message: string, field?: string): OperationAnswer => ({
  kind: 'refused',
  code,
  message,
  ...(field !== undefined && { field }),
})
const done = (value: object): OperationAnswer => ({ kind: 'done', value: value as JsonObject })
const file = z.strictObject({
  file: z
    .string()
    .regex(/^[^\p{Cc}]{1,500}$/u, 'expected one line of 1 to 500 characters')
    .describe('its name, for findings'),
  text: z.string().max(MOST_TEXT),
})
const rule = z.object({ name: z.string(), effect: z.enum(['allow', 'deny', 'require']), at: z.string() })
const decision = z.looseObject({ decision: z.enum(['allow', 'deny']), by: z.unknown(), rules: z.array(z.looseObject({})) })

type Parts = Pick<PluginContext<PolicyConfig>, 'config' | 'clock' | 'dischargers' | 'apart'>

/** `refusal`: findings of what was to be in force last and is not; empty where there are none. */
export function policyOperations(
  { config, clock, dischargers, apart }: Parts,
  inForce: () => Loaded,
  refusal: () => readonly string[],
): PolicyOperations {
  const turns = createTurns(AT_ONCE, WAITING)
  const list = [
    defineOperation({
      name: 'policies',
      summary: 'Shows the policies in force: each rule with its place, and what kept a newer version out.',
      route: 'GET /policies',
      effect: 'reads',
      scope: 'gateway',
      input: z.strictObject({}),
      output: z.object({
        bundle: z.string(),
        catalog: z.string().optional(),
        mode: z.enum(['enforce', 'observe']),
        files: z.int(),
        rules: z.array(rule),
        refused: z.array(z.string()),
      }),
      async perform() {
        const { bundle, catalogDigest } = inForce()
        return done({
          bundle: bundle.digest,
          ...(catalogDigest !== undefined && { catalog: catalogDigest }),
          mode: config.mode,
          files: bundle.files,
          rules: [...bundle.rules.values()],
          refused: refusal(),
        })
      },
    }),
    defineOperation({
      name: 'policy_check',
      summary:
        'Checks policy files against the catalog lock of the gateway, as `mcpgw policy check --json` does; nothing comes into force.',
      route: 'POST /policies/check',
      effect: 'reads',
      scope: 'gateway',
      input: z.strictObject({ files: z.array(file).min(1).max(1000) }),
      output: z.looseObject({ ok: z.boolean(), diagnostics: z.array(z.looseObject({})) }),
      async perform({ files }, asker) {
        const names = files.map(one => one.file)
        const twice = names.find((name, at) => names.indexOf(name) < at)
        if (twice !== undefined)
          return refused('invalid-arguments', `expected a name of its own, found ${JSON.stringify(twice)} twice`, 'files')
        const input: PolicyCheck = { sources: files, lock: lockPath(undefined, config, process.cwd()), dischargers }
        const made = await turns.take(asker.signal, signal =>
          apart({ module, input, answer: () => Promise.reject(new Error('nothing is answered')), signal }),
        )
        if (made === 'stopped') return refused('unavailable', 'stopped')
        return made === 'busy' ? refused('unavailable', 'many have policies checked now; try again') : done(made as object)
      },
    }),
    defineOperation({
      name: 'policy_explain',
      summary: 'Says how the policies in force decide one call, rule by rule, as `mcpgw policy explain --json` does; nothing is called.',
      route: 'POST /policies/explain',
      effect: 'reads',
      scope: 'gateway',
      input: z.strictObject({
        call: z
          .record(z.string(), z.unknown())
          .describe('as `mcpgw policy eval --call` takes it: principal, call (or read, prompt, method), args'),
      }),
      output: decision,
      async perform({ call }) {
        const { bundle, lock } = inForce()
        const facts = readCall(JSON.stringify(call), { now: new Date(clock.now()), ...(lock && { lock }) })
        return 'error' in facts ? refused('invalid-arguments', facts.error, 'call') : done(explainCall(bundle.evaluator, facts))
      },
    }),
  ]
  return { list, close: () => turns.close() }
}
