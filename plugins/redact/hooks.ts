// The plugin's hooks: which settings apply to a message, and what its outcome means at each place.
import {
  type Answer,
  type Awaitable,
  type Deny,
  Detectors,
  type DischargeVerdict,
  deny,
  drop,
  type Exchange,
  type Hooks,
  type JsonValue,
  Masking,
  type Notification,
  type NotificationVerdict,
  type Pass,
  type Payload,
  type PluginContext,
  pass,
  type Rewrite,
  rewrite,
  type TextDetector,
} from 'mcpgw/plugin'
import type { RedactConfig } from './config.ts'
import type { FieldPath } from './field-path.ts'
import { maskLater, small } from './later.ts'
import type { Tally } from './masker.ts'
import { compileObligations, payloadOf } from './obligation.ts'
import { maskPayload, type Outcome, searchOf } from './pass.ts'
import { createPresidio } from './presidio.ts'
import { compileProfiles } from './profile.ts'
import { schemaOf } from './result.ts'
import type { Schema } from './schema/reference.ts'
import { createFollow } from './stream-seam.ts'
import { createTextMasker } from './text-masker.ts'
import { createPool } from './threads/pool.ts'
import { createWriter, type TokenScope } from './writer.ts'

const withheld = '[WITHHELD]'
// No line of a log and no recorded arguments are longer.
const longestStored = 1024 * 1024

export function createHooks(ctx: PluginContext<RedactConfig>): Hooks {
  const profiles = compileProfiles(ctx.config)
  const searches = profiles.all.map(searchOf)
  let key: Uint8Array | undefined
  const counter = ctx.metrics.counter('redactions_total', 'Findings masked, by type.', ['type'])
  const pathsOf = compileObligations()
  const { scan } = ctx.config

  const scopeOf = (exchange: Exchange | undefined): TokenScope | undefined => key && { key, tenant: exchange?.principal?.tenant ?? '' }

  const openKey = (): void => {
    key ??= ctx.stores.key('redact.key')
  }
  const detectors: TextDetector[] = []
  const add = (detector: TextDetector): void => {
    if (detector.action === 'token') openKey()
    detectors.push(detector)
  }
  if (profiles.usesTokens) openKey()
  if (ctx.config.presidio !== undefined) add(createPresidio(ctx.config.presidio))
  const pool = createPool({ settings: () => ({ config: ctx.config, key }), clock: ctx.clock })
  ctx.onStop(() => pool.close())

  function look(payload: Payload, exchange: Exchange | undefined, schema?: Schema): Awaitable<Outcome> {
    const profile = profiles.of(exchange)
    const search = searches[profile.index]
    const how = { profile, search, fields: profile.fields, scope: scopeOf(exchange), schema }
    const isQuick = payload.bytes.length <= small && !(profile.models && detectors.length > 0)
    if (search === undefined || isQuick) return maskPayload(payload, how, 'message')
    if (payload.bytes.length > scan.maxBytes) return { kind: 'late' }
    return maskLater(payload, { ...how, search }, { pool, detectors, clock: ctx.clock, deadline: scan.deadlineMs })
  }

  function lookAndJudge(payload: Payload, exchange: Exchange | undefined, schema?: Schema): Awaitable<Pass | Rewrite | Deny> {
    const outcome = look(payload, exchange, schema)
    return outcome instanceof Promise ? outcome.then(one => judge(one, exchange)) : judge(outcome, exchange)
  }

  function lookAtFields(payload: Payload, fields: readonly FieldPath[], schema: Schema | undefined): Outcome {
    return maskPayload(payload, { profile: profiles.stored, search: undefined, fields, scope: undefined, schema }, 'message')
  }

  function judge(outcome: Outcome, exchange: Exchange | undefined): Pass | Rewrite | Deny {
    if (outcome.kind === 'clean') return pass
    if (outcome.kind === 'late') return deny('redaction-limit', 'it could not be searched for personal data in the time and size set')
    if (outcome.kind === 'failed') return deny('plugin-failed', 'it could not be searched for personal data', { detail: outcome.detail })
    for (const [type, by] of outcome.counts) counter.inc({ type }, by)
    if (exchange !== undefined) note(exchange, outcome.counts)
    if (outcome.kind === 'masked') return rewrite(outcome.value)
    if (outcome.kind === 'misfit')
      return deny('withheld', `masked, it would not fit the output schema of its tool at ${outcome.at || 'its root'}`)
    return deny('redaction-blocked', `it holds what may not pass (${outcome.id})`)
  }

  const continued = createFollow()
  function follow(exchange: Exchange, told: Notification, verdict: Pass | Rewrite | Deny): Pass | Rewrite | Deny {
    const search = searches[profiles.of(exchange).index]
    if (search === undefined || verdict.kind === 'deny') return verdict
    const shown = verdict.kind === 'rewrite' ? verdict.value : told.params.value
    const found = continued(exchange, told, shown, search, scopeOf(exchange))
    if (found === undefined) return verdict
    const { value, counts, blocked } = found
    return judge(blocked === undefined ? { kind: 'masked', value, counts } : { kind: 'blocked', id: blocked, counts }, exchange)
  }

  ctx.provide(Detectors, { add })
  ctx.provide(Masking, {
    text: text => orWithheld(() => maskStored(text)),
    value: payload => orWithheld(() => maskStoredValue(payload)),
  })

  function maskStored(text: string): string {
    if (text.length > longestStored) return withheld
    const search = searches[profiles.stored.index]
    return createTextMasker({ search, tally: new Map(), writer: createWriter() }).text(text, '', profiles.stored.fields)
  }

  function maskStoredValue(payload: Payload): JsonValue | undefined {
    const { stored } = profiles
    const how = { profile: stored, search: searches[stored.index], fields: stored.fields, scope: undefined }
    const outcome = maskPayload(payload, how, 'document')
    return outcome.kind === 'masked' ? outcome.value : undefined
  }

  return {
    onRequest: exchange => (exchange.resource.kind === 'plumbing' ? pass : lookAndJudge(exchange.sent, exchange)),
    onNotification(exchange, told): Awaitable<NotificationVerdict> {
      const finish = (verdict: Pass | Rewrite | Deny) => orDropped(exchange === undefined ? verdict : follow(exchange, told, verdict))
      const verdict = lookAndJudge(told.params, exchange)
      return verdict instanceof Promise ? verdict.then(finish) : finish(verdict)
    },
    // A secret that the gateway gives is for the caller as it is: masked it is no use, and it is not shown again.
    onResponse: (exchange: Exchange, answer: Answer) =>
      isSecret(exchange) ? pass : lookAndJudge(answer.payload, exchange, schemaOf(exchange, answer)),
    discharge(obligation, stage): DischargeVerdict {
      const paths = pathsOf(obligation)
      if (paths === undefined)
        return deny('unmet-obligation', 'denied', { detail: 'redact takes one field path or more, e.g. redact("$.ssn")' })
      const schema = stage.at === 'answer' ? schemaOf(stage.exchange, stage.answer) : undefined
      return judge(lookAtFields(payloadOf(stage), paths, schema), stage.exchange)
    },
  }
}

function isSecret({ resource, direction }: Exchange): boolean {
  return direction === 'to-server' && resource.kind === 'call' && resource.secret === true
}

function orDropped(verdict: Pass | Rewrite | Deny): NotificationVerdict {
  return verdict.kind === 'deny' ? drop : verdict
}

/** Adds to the counts of this exchange, request and answer together. */
function note(exchange: Exchange, tally: Tally): void {
  const counts: Record<string, number> = { ...(exchange.notes.get('redact.redactions') as Record<string, number> | undefined) }
  for (const [type, by] of tally) counts[type] = (counts[type] ?? 0) + by
  exchange.note('redact.redactions', counts)
}

function orWithheld<T>(work: () => T): T | string {
  try {
    return work()
  } catch {
    return withheld
  }
}
