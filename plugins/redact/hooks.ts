// The plugin's hooks: screens the JSON text first, and walks the tree only on a suspicion.
import {
  type Answer,
  type DischargeStage,
  type DischargeVerdict,
  deny,
  type Exchange,
  type Hooks,
  type JsonValue,
  Masking,
  type Obligation,
  type Pass,
  type Payload,
  type PluginContext,
  pass,
  type Rewrite,
  rewrite,
} from 'mcpgw/plugin'
import { selectDetectors } from './catalog.ts'
import type { RedactConfig } from './config.ts'
import { type FieldPath, mayName, parsePath } from './field-path.ts'
import type { Tally } from './masker.ts'
import { createRedactor } from './redactor.ts'
import { compileScanner, type Scanner } from './scanner.ts'
import { mayHaveSeams } from './seam.ts'

const withheld = '[WITHHELD]'
// What is longer than a name goes the usual way at once, so that nothing long is scanned twice.
const shortest = 256

export function createHooks(ctx: PluginContext<RedactConfig>): Hooks {
  const { config } = ctx
  const scanner = compileScanner(selectDetectors(config.detectors, config.actions))
  const fields = config.fields.map(text => parsePath(text)!)
  const servers = new Set(config.exempt.servers)
  const tools = new Set(config.exempt.tools)
  const counter = ctx.metrics.counter('redactions', 'Findings masked, by type.', ['type'])
  const pathsOf = compileObligations()

  function mask(
    payload: Payload,
    detect: Scanner | undefined,
    paths: readonly FieldPath[],
    exchange: Exchange | undefined,
  ): Pass | Rewrite {
    const { text } = payload
    const suspicious = (detect !== undefined && (detect.screen(text) || mayHaveSeams(text))) || mayName(paths, text)
    if (!suspicious) return pass
    const tally: Tally = new Map()
    const masked = createRedactor(detect, paths, tally).message(payload.value)
    if (masked === payload.value) return pass
    for (const [type, by] of tally) counter.inc({ type }, by)
    if (exchange !== undefined) note(exchange, tally)
    return rewrite(masked)
  }

  function isExempt({ resource }: Exchange): boolean {
    if (resource.kind === 'plumbing') return false
    if (resource.kind === 'list') return false
    return servers.has(resource.server) || (resource.kind === 'call' && tools.has(`${resource.server}__${resource.tool}`))
  }

  function maskFor(exchange: Exchange | undefined, payload: Payload): Pass | Rewrite {
    const exempt = exchange !== undefined && isExempt(exchange)
    return mask(payload, exempt ? undefined : scanner, fields, exchange)
  }

  /** A text without findings that is no JSON document. */
  function isPlain(text: string): boolean {
    return text.length <= shortest && !/[[{\\]/.test(text) && scanner.find(text, '').spans.length === 0
  }

  function maskDocument(payload: Payload): JsonValue | undefined {
    if (!scanner.screen(payload.text) && !mayName(fields, payload.text)) return undefined
    const { value } = payload
    const masked = createRedactor(scanner, fields, new Map()).document(value)
    return masked === value ? undefined : masked
  }

  ctx.provide(Masking, {
    text: text => orWithheld(() => (isPlain(text) ? text : createRedactor(scanner, fields, new Map()).text(text))),
    value: payload => orWithheld(() => maskDocument(payload)),
  })

  return {
    onRequest: exchange => (exchange.resource.kind === 'plumbing' ? pass : maskFor(exchange, exchange.sent)),
    onNotification: (exchange, { params }) => maskFor(exchange, params),
    onResponse: (exchange: Exchange, answer: Answer) => maskFor(exchange, answer.payload),
    discharge(obligation, stage): DischargeVerdict {
      const paths = pathsOf(obligation)
      if (paths === undefined)
        return deny('unmet-obligation', 'denied', { detail: 'redact takes one field path or more, e.g. redact("$.ssn")' })
      return mask(payloadOf(stage), undefined, paths, stage.exchange)
    },
  }
}

function payloadOf(stage: DischargeStage): Payload {
  switch (stage.at) {
    case 'request':
      return stage.exchange.sent
    case 'notification':
      return stage.notification.params
    case 'answer':
      return stage.answer.payload
  }
}

/** Paths of an obligation, compiled once for each of its texts; undefined where an argument is no path. */
function compileObligations(): (obligation: Obligation) => readonly FieldPath[] | undefined {
  const known = new Map<string, FieldPath | undefined>()
  return ({ args }) => {
    const paths: FieldPath[] = []
    for (const { name, value } of args) {
      if (name !== undefined || typeof value !== 'string') return undefined
      if (!known.has(value)) known.set(value, parsePath(value))
      const path = known.get(value)
      if (path === undefined) return undefined
      paths.push(path)
    }
    return paths.length === 0 ? undefined : paths
  }
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
