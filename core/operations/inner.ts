// The server `gateway`: the gateway's own tools, spoken to in MCP like any other server, so that policy, record and limits hold for them too.
import type { GatewayTools, InnerServer } from '../config/schema.ts'
import { defaults } from '../config/schema.ts'
import { Json } from '../mcp/json.ts'
import { writeError, writeResult } from '../mcp/message.ts'
import { readOwner } from '../owner.ts'
import { compileGlob, type Exchange, type JsonValue, type Operation } from '../plugin/index.ts'
import { createInProcessTransport, type InboundRequest } from '../upstream/in-process.ts'
import type { Transport } from '../upstream/transport.ts'
import type { Operations, Performed } from './operations.ts'
import { describe, resultOf } from './tool.ts'

export interface InnerOptions {
  readonly operations: Operations
  readonly tools: GatewayTools
  readonly version: string
  /** No plugin decides: then nothing is changed through here. */
  readonly open: boolean
  /** Some plugin says who callers are. Where none does, everybody is everybody. */
  readonly authenticates: boolean
}

export interface Inner {
  readonly server: InnerServer
  /** All that can be offered to somebody. */
  offered(): readonly Operation[]
  /** `owner`: whose lane it is. */
  createTransport(owner: string): Transport
}

export const INNER_ID = 'gateway'
/** What the client is called where the operation `call` calls. */
export const INNER_CLIENT = 'mcpgw-gateway'

/** It would be the answer of `call`, too, and kept as any other. */
const NOT_BY_CALL: Performed = Object.freeze({
  kind: 'refused',
  code: 'invalid-arguments',
  message: 'its answer is a secret, which `call` does not give: call it by its own name',
  field: 'tool',
})

export function createInner({ operations, tools, version, open, authenticates }: InnerOptions): Inner {
  const globs = tools.tools.map(glob => compileGlob(glob))
  const operators = new Set(tools.operators)
  const isOffered = ({ name, effect }: Operation) => !(open && effect === 'changes') && globs.some(matches => matches(name))
  const offered = (tenant: string | undefined) =>
    operations.list().filter(operation => isOffered(operation) && !(operation.scope === 'gateway' && tenant !== undefined))
  /** Undefined for whoever sees all tenants. */
  const scopeOf = (tenant: string | undefined) =>
    tenant === undefined ? (authenticates ? '' : undefined) : operators.has(tenant) ? undefined : tenant

  async function call(message: InboundRequest, exchange: Exchange | undefined, signal: AbortSignal): Promise<Uint8Array> {
    if (exchange === undefined) throw new Error('bug: nobody knows whose call this is')
    const { principal } = exchange
    const tenant = scopeOf(principal?.tenant)
    const name = message.params?.string('name')
    const operation = offered(tenant).find(one => one.name === name)
    if (operation === undefined) return writeError(message.id, { code: -32602, message: 'unknown tool' })
    const input: JsonValue = message.params?.get('arguments')?.value ?? {}
    if (operation.secret === true && exchange.client?.name === INNER_CLIENT) return writeResult(message.id, resultOf(NOT_BY_CALL))
    const actor = { id: principal?.id ?? 'anonymous', tenant: principal?.tenant ?? '' }
    const asker = { tenant, actor, exchange, signal }
    return writeResult(message.id, resultOf(await operations.perform(operation, input, asker)))
  }

  return {
    server: {
      kind: 'inner',
      id: INNER_ID,
      name: 'The gateway itself',
      enabled: true,
      shared: false,
      protocol: 'legacy',
      timeout: defaults.timeout,
    },
    offered: () => offered(undefined),
    createTransport: owner =>
      createInProcessTransport({
        info: { name: 'mcpgw', title: 'The gateway itself', version },
        listTools: () => Json.of(offered(scopeOf(owner === '' ? undefined : readOwner(owner).tenant)).map(describe)),
        async call(request, { exchange }, signal) {
          return { message: await call(request, exchange, signal) }
        },
      }),
  }
}
