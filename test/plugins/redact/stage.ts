// A stand-in for the kernel: payloads made by hand, an exchange that collects notes, the plugin's hooks and its service.
import {
  type Answer,
  type DischargeStage,
  ExactNumber,
  type Exchange,
  type Hooks,
  type JsonValue,
  type Masking,
  Masking as MaskingService,
  type Obligation,
  type Payload,
  type PluginContext,
  type Resource,
} from 'mcpgw/plugin'
import { systemClock } from '../../../core/clock.ts'
import type { RedactConfig } from '../../../plugins/redact/config.ts'
import redact from '../../../plugins/redact/index.ts'

/** A payload of `json`, where a number too long for a double is exact. */
export function payloadOf(json: string): Payload {
  const exact = json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g, token =>
    token.startsWith('"') || String(Number(token)) === token ? token : `{"exact!":"${token}"}`,
  )
  const value = JSON.parse(exact, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object') return member
    if ('exact!' in member) return new ExactNumber(String(member['exact!']))
    return Object.freeze(Array.isArray(member) ? member : Object.assign(Object.create(null) as object, member))
  }) as JsonValue
  return { bytes: Buffer.from(json), text: json, value }
}

/** JSON text, exact numbers as they are; undefined stays. */
export function print(value: JsonValue | undefined): string | undefined {
  return JSON.stringify(value, (_key, member: unknown) => (member instanceof ExactNumber ? `exact ${member.text}` : member))
}

export interface Stage {
  readonly hooks: Hooks
  readonly masking: Masking
  readonly counted: Map<string, number>
}

export async function openStage(given: unknown = {}): Promise<Stage> {
  const checked = await redact.config['~standard'].validate(given)
  if (checked.issues !== undefined) throw new Error(checked.issues.map(issue => issue.message).join('; '))
  const counted = new Map<string, number>()
  let masking: Masking | undefined
  const ctx = {
    config: checked.value,
    clock: systemClock,
    onStop: () => {},
    stores: { key: () => new Uint8Array(32).fill(7) },
    metrics: {
      counter: () => ({ inc: (labels: { type: string }, by = 1) => counted.set(labels.type, (counted.get(labels.type) ?? 0) + by) }),
    },
    provide: (service: unknown, value: Masking) => {
      if (service === MaskingService) masking = value
    },
  } as unknown as PluginContext<RedactConfig>
  const hooks = await redact.setup(ctx)
  return { hooks, masking: masking!, counted }
}

export function exchangeOf(params: string, resource: Resource = { kind: 'call', server: 'files', tool: 'read' }): Exchange {
  const payload = payloadOf(params)
  const notes = new Map<string, unknown>()
  return {
    resource,
    params: payload,
    sent: payload,
    notes,
    note: (key: string, value: unknown) => notes.set(key, value),
  } as unknown as Exchange
}

/** What is sent: the rewritten value as JSON text, or 'pass'. */
export async function request(stage: Stage, exchange: Exchange): Promise<string | undefined> {
  return shown(await stage.hooks.onRequest!(exchange))
}

export async function respond(
  stage: Stage,
  json: string,
  kind: Answer['kind'] = 'result',
  exchange = exchangeOf('{}'),
): Promise<string | undefined> {
  return shown(await stage.hooks.onResponse!(exchange, { kind, payload: payloadOf(json) }))
}

export async function notify(stage: Stage, method: string, json: string, exchange?: Exchange): Promise<string | undefined> {
  return shown(await stage.hooks.onNotification!(exchange, { method, params: payloadOf(json) }))
}

export async function discharge(stage: Stage, paths: readonly (string | number)[], at: DischargeStage): Promise<string | undefined> {
  const obligation: Obligation = { name: 'redact', args: paths.map(value => ({ value })) }
  return shown(await stage.hooks.discharge!(obligation, at))
}

function shown(verdict: { readonly kind: string; readonly value?: JsonValue | Uint8Array; readonly code?: string }): string | undefined {
  return verdict.kind === 'rewrite' ? print(verdict.value as JsonValue | undefined) : (verdict.code ?? verdict.kind)
}
