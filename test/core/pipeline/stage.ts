// A stage for tests of the pipeline: one call through given plugins, and the ways in which a hook can go wrong.

import type { ExchangeInit } from '../../../core/exchange.ts'
import { createGuard } from '../../../core/guard.ts'
import { Json } from '../../../core/mcp/json.ts'
import { createPipeline, type LoadedPlugin, type Pipeline } from '../../../core/pipeline.ts'
import type { Capability, Hooks, JsonObject, JsonValue, Plugin, Principal } from '../../../core/plugin/index.ts'
import { allow } from '../../../core/plugin/index.ts'
import { type Called, createFakeClock, type Harness, type HarnessOptions, harness } from '../../../core/testing/index.ts'
import { plug } from '../define.ts'

export const alice: Principal = { id: 'alice', roles: ['dev'], tenant: 'acme', claims: {}, via: { method: 'test' } }

/** A policy that allows everything. */
export function allower(obligations: { name: string; args: [] }[] = []): Plugin {
  return plug('policy', ['decides'], { onRequest: () => allow(['main:1'], obligations) })
}

export function request(name: string, capabilities: Capability[], onRequest: NonNullable<Hooks['onRequest']>): Plugin {
  return plug(name, capabilities, { onRequest })
}

export function code(called: Called): string | undefined {
  return called.refusal?.code
}

export const PASSING: JsonObject = { name: 'read', arguments: { path: '/a', size: 7 } }

/** Calls once through these plugins; `sent` is what the server got. */
export async function through(...plugins: HarnessOptions['plugins']): Promise<{ world: Harness; called: Called; sent: JsonValue[] }> {
  const world = await harness({ plugins })
  const called = await world.call('files', 'read', { path: '/a', size: 7 })
  return { world, called, sent: world.upstream.received.map(({ params }) => params.value) }
}

const explode = (): never => {
  throw new Error('secret of the inside')
}
const hang = () => new Promise<never>(() => {})
/** What a hook may do instead of answering. */
export const faults: [string, () => never | Promise<never>][] = [
  [
    'throws',
    () => {
      throw new Error('secret of the inside')
    },
  ],
  ['rejects', () => Promise.reject(new Error('secret of the inside'))],
  ['hangs', hang],
  ['answers nothing', () => undefined as never],
  ['answers an unknown verdict', () => ({ kind: 'maybe' }) as never],
  ['answers a verdict of another hook', () => ({ kind: 'narrow', keep: [] }) as never],
  [
    'answers what throws when it is read',
    () => {
      const trap = () => {
        throw new Error('secret of the inside')
      }
      return new Proxy({} as never, { get: trap, has: trap, ownKeys: trap })
    },
  ],
  ['answers a malformed deny', () => ({ kind: 'deny', code: 7, reason: 'x' }) as never],
  ['answers what throws when it is read', () => Object.defineProperty({}, 'kind', { get: explode, enumerable: true }) as never],
  [
    'answers a deny that throws when its rules are read',
    () => Object.defineProperty({ kind: 'deny', code: 'a', reason: 'b' }, 'rules', { get: explode, enumerable: true }) as never,
  ],
  [
    'answers a proxy that throws but for its promise',
    () => new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : explode()), ownKeys: explode }) as never,
  ],
]

/** A plugin as the pipeline gets it, past every check of the start. */
export function loaded(name: string, capabilities: Capability[], hooks: Hooks): LoadedPlugin {
  return { name, capabilities: new Set(capabilities), discharges: [], hooks, failure: 'closed' }
}

export function pipelineOf(plugins: readonly LoadedPlugin[], clock = createFakeClock()): Pipeline {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  return createPipeline({ plugins, guard: createGuard({ clock, limitMs: 5_000 }), log })
}

export function arrival(params: JsonValue): ExchangeInit {
  return {
    id: 'x-1',
    direction: 'to-server',
    action: 'tools/call',
    resource: { kind: 'call', server: 'files', tool: 'read' },
    peer: { transport: 'stdio', header: () => [] },
    params: Json.of(params),
    at: 0,
    mono: 0,
    cancel: new AbortController(),
  }
}
