// What callers can ask and tell of keys through the gateway itself: each of its own tenant, and nobody gives what he does not have.
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type Asker,
  type Clock,
  defineOperation,
  type JsonObject,
  type Log,
  type Operation,
  type OperationAnswer,
  type Rate,
  refuseOtherTenant,
} from 'mcpgw/plugin'
import { z } from 'zod'
import { PAGE } from './changes.ts'
import { readDuration, readRate } from './commands/lifetime.ts'
import { type AuthConfig, idPattern, namePattern, rolePattern } from './config.ts'
import { type KeyLine, lineOfConfig, lineOfStored } from './key-line.ts'
import { describeNew, makeKey, replaceKey } from './key-making.ts'
import { findSameIds } from './same-ids.ts'
import type { StoredKey } from './stored-key.ts'
import type { Vault } from './vault.ts'

export interface KeyOperationsOptions {
  readonly vault: Vault
  readonly config: AuthConfig
  readonly clock: Clock
  readonly log: Log
  /** Puts on record what has been done, and has it count here at once. */
  settle(): Promise<void>
}

const DURATION = 'expected a number and m, h, d or w, at most ten years: 12h, 90d'
const id = z.string().regex(idPattern, 'expected letters, digits and _ . : @ / + -, at most 128')
const role = z.string().regex(rolePattern, 'expected letters, digits, _ . : and -, at most 64')
const duration = z.string().refine(text => readDuration(text) !== undefined, DURATION)
const rate = z.string().refine(text => readRate(text) !== undefined, 'expected a number of requests per s, min, h or d: 100/min')
const time = z.string().nullable()
const about = { name: z.string(), principal: z.string(), roles: z.array(z.string()), tenant: z.string() }
const made = { id: z.string(), key: z.string(), ...about, claims: z.looseObject({}), createdAt: z.string(), expiresAt: time, rate: time }
const line = z.object({
  id: z.string(),
  ...about,
  state: z.enum(['active', 'expired', 'revoked', 'disabled']),
  source: z.enum(['store', 'config']),
  createdAt: time,
  expiresAt: time,
  revokedAt: time,
  lastUsed: time,
  rate: time,
})

const refused = (code: 'invalid-arguments' | 'not-found' | 'conflict', message: string, field: string): OperationAnswer => ({
  kind: 'refused',
  code,
  message,
  field,
})
const UNKNOWN = refused('not-found', 'there is no such key', 'id')
const IN_CONFIG = refused('conflict', 'this key stands in the config: set enabled: false there, or take it out', 'id')
const ENDED = refused('conflict', 'this key does not hold any more: make a new one', 'id')
const OWN = refused(
  'conflict',
  'you come with this key, so that its end ends your request, and nobody would see the new one: leave an overlap',
  'overlap',
)
const BEYOND = refused('conflict', 'this key has roles or claims that you do not have, or is good for more than yours', 'id')
const NOT_YOUR_ROLES = refused('invalid-arguments', 'expected roles that you have yourself', 'roles')
const NOT_YOUR_RATE = refused('invalid-arguments', 'your own key has a rate, of which the new one takes part', 'rate')
const NO_CLAIMS = refused('invalid-arguments', 'claims are given by operators only', 'claims')

const done = (value: object): OperationAnswer => ({ kind: 'done', value: value as JsonObject })

export function keyOperations({ vault, config, clock, log, settle }: KeyOperationsOptions): readonly Operation[] {
  const { store } = vault

  /** In the order of their ids; those of the config come first. */
  async function list(tenant: string | undefined, limit: number, after: string | undefined): Promise<{ keys: KeyLine[]; next?: string }> {
    const isMeant = (key: { readonly tenant: string }): boolean => key.tenant === (tenant ?? key.tenant)
    const found: StoredKey[] = []
    let from = after ?? ''
    for (let rows = await store.page(from); rows.length > 0 && found.length <= limit; rows = await store.page(from)) {
      found.push(...rows.filter(isMeant))
      if (rows.length < PAGE) break
      from = rows.at(-1)!.id
      await nextTurn()
    }
    const shown = found.slice(0, limit)
    const uses = await store.lastUses(shown.map(key => key.id))
    const now = clock.now()
    const stored = shown.map(key => lineOfStored(key, uses.get(key.id), now))
    const plain = after === undefined ? config.apiKeys.filter(isMeant).map(lineOfConfig) : []
    return { keys: [...plain, ...stored], ...(found.length > limit && { next: shown.at(-1)!.id }) }
  }

  const isInConfig = ({ tenant }: Asker, key: string): boolean =>
    config.apiKeys.some(one => one.id === key && one.tenant === (tenant ?? one.tenant))

  return [
    defineOperation({
      name: 'keys_list',
      summary: 'Shows API keys, without the keys themselves.',
      route: 'GET /keys',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({
        tenant: id.optional().describe('only those of this tenant; for operators'),
        limit: z.int().min(1).max(1000).default(200),
        after: id.optional().describe('what the page before said (`next`)'),
      }),
      output: z.object({ keys: z.array(line), next: z.string().optional() }),
      perform: async ({ tenant, limit, after }, asker) =>
        refuseOtherTenant(asker, tenant) ?? done(await list(asker.tenant ?? tenant, limit, after)),
    }),
    defineOperation({
      name: 'keys_create',
      summary: 'Makes an API key and shows it, this once.',
      route: 'POST /keys',
      effect: 'changes',
      scope: 'tenant',
      secret: true,
      input: z.strictObject({
        name: z.string().regex(namePattern, 'expected one line of 1 to 128 characters').describe('what the key is for'),
        principal: id.describe('id of the principal that it stands for'),
        roles: z.array(role).max(100).default([]),
        tenant: id.optional().describe('for operators; else your own'),
        expires: duration.optional().describe('how long it holds: 12h, 90d, 52w; for ever where absent'),
        rate: rate.optional().describe('how many requests it is good for: 100/min; unlimited where absent, unless your own key has one'),
        claims: z.record(z.string(), z.unknown()).default({}).describe('facts that policies may ask for; for operators'),
      }),
      output: z.object(made),
      async perform({ name, principal, roles, tenant: asked, expires, rate: most, claims }, asker) {
        const otherTenant = refuseOtherTenant(asker, asked)
        if (otherTenant !== undefined) return otherTenant
        if (asker.tenant !== undefined && Object.keys(claims).length > 0) return NO_CLAIMS
        if (!hasRoles(asker, roles)) return NOT_YOUR_ROLES
        const shared = rateOf(asker)
        if (shared !== undefined && most !== undefined) return NOT_YOUR_RATE
        const tenant = asker.tenant ?? asked ?? 'default'
        const wish = {
          name,
          principal,
          roles: [...new Set(roles)],
          tenant,
          claims,
          lifeMs: readDuration(expires),
          rate: shared ?? readRate(most),
        }
        const key = await makeKey(vault, wish, clock.now(), asker.actor)
        for (const same of findSameIds(config.jwt, [{ id: principal, tenant }])) log.warn(same)
        await settle()
        return done(describeNew(key))
      },
    }),
    defineOperation({
      name: 'keys_rotate',
      summary: 'Makes a key in place of another, which holds a while longer; shows it, this once.',
      route: 'POST /keys/{id}/rotate',
      effect: 'changes',
      scope: 'tenant',
      secret: true,
      input: z.strictObject({
        id: id.describe('of the old key, as keys_list shows it'),
        overlap: z
          .string()
          .refine(text => text === '0' || readDuration(text) !== undefined, `${DURATION}; or 0`)
          .default('24h')
          .describe('how long the old key still holds; 0: not at all'),
        expires: duration.optional().describe('how long the new key holds; as long as the old one was to where absent'),
      }),
      output: z.object({ ...made, replaces: z.string(), oldExpiresAt: z.string() }),
      async perform({ id: old, overlap, expires }, asker) {
        if (overlap === '0' && asker.exchange?.principal?.via.keyId === old) return OWN
        const how = {
          overlapMs: readDuration(overlap) ?? 0,
          lifeMs: readDuration(expires),
          tenant: asker.tenant,
          mayHave: (key: StoredKey) => hasRoles(asker, key.roles) && hasClaims(asker, key.claims) && hasRate(asker, key),
        }
        const replaced = await replaceKey(vault, old, how, clock.now(), asker.actor)
        if (replaced.kind === 'unknown') return isInConfig(asker, old) ? IN_CONFIG : UNKNOWN
        if (replaced.kind !== 'replaced') return replaced.kind === 'beyond' ? BEYOND : ENDED
        await settle()
        return done({ ...describeNew(replaced.made), replaces: old, oldExpiresAt: new Date(replaced.until).toISOString() })
      },
    }),
    defineOperation({
      name: 'keys_revoke',
      summary: 'Ends an API key, and what is open under it.',
      route: 'DELETE /keys/{id}',
      effect: 'changes',
      scope: 'tenant',
      input: z.strictObject({ id: id.describe('as keys_list shows it') }),
      output: z.object({ id: z.string(), outcome: z.enum(['revoked', 'already-revoked']) }),
      async perform({ id: key }, asker) {
        const outcome = await store.revoke(key, clock.now(), asker.actor, asker.tenant)
        if (outcome === 'unknown') return isInConfig(asker, key) ? IN_CONFIG : UNKNOWN
        await settle()
        return done({ id: key, outcome })
      },
    }),
  ]
}

/** Whoever sees all tenants gives what is asked for. */
function hasRoles({ tenant, exchange }: Asker, roles: readonly string[]): boolean {
  return tenant === undefined || roles.every(one => exchange?.principal?.roles.includes(one) === true)
}

/** Equal to the own ones, which come from a key in the same way, or none. */
function hasClaims({ tenant, exchange }: Asker, claims: StoredKey['claims']): boolean {
  return tenant === undefined || Object.keys(claims).length === 0 || JSON.stringify(claims) === JSON.stringify(exchange?.principal?.claims)
}

/** Invariant: nobody gets more by another key than by his own credential; what he makes counts together with that. */
function rateOf({ tenant, exchange }: Asker): Rate | undefined {
  return tenant === undefined ? undefined : exchange?.principal?.rate
}

function hasRate(asker: Asker, key: StoredKey): boolean {
  const own = rateOf(asker)
  return own === undefined || key.rate?.of === own.of
}
