// In whose name this gateway speaks to another one: a caller with his tenant and roles, and the gateways that he has come through before.
import { authOf, type ListedServer } from '../config/schema.ts'
import { ownerOf } from '../owner.ts'
import type { Principal } from '../plugin/index.ts'

export interface Voice {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
  /** From the one that the caller spoke to himself. */
  readonly via: readonly string[]
}

type Spoken = Pick<Principal, 'id' | 'tenant' | 'roles' | 'claims' | 'via'>

export function voiceOf({ id, tenant, roles, claims, via }: Spoken): Voice {
  return { id, tenant, roles: [...new Set(roles)].sort(), via: via.method === 'gateway' ? textsIn(claims.gateways) : [] }
}

/**
 * Whose lane to this server it is. What another gateway shows depends on the roles too, so that callers who differ in them share no lane to it,
 * and no list that came on it.
 */
export function laneOwner(server: ListedServer, principal: Principal | undefined): string {
  return isTold(server) ? ownerWithVoice(principal) : ownerOf(principal)
}

/** Whether the server is a gateway that is told who calls. */
export function isTold(server: ListedServer): boolean {
  return authOf(server)?.gateway !== undefined
}

export function ownerWithVoice(principal: Principal | undefined): string {
  if (principal === undefined) return ''
  const { id, tenant, roles, via } = voiceOf(principal)
  return `${ownerOf(principal)}\0${JSON.stringify([id, tenant, roles, via])}`
}

/** Of an owner as the last one makes them; undefined for nobody in particular. */
export function readVoice(owner: string): Voice | undefined {
  if (owner === '') return undefined
  const said = owner.split('\0')[4]
  // Invariant: no caller is taken for this gateway itself.
  if (said === undefined) throw new Error('bug: a lane to another gateway whose owner has no voice')
  const [id, tenant, roles, via] = JSON.parse(said) as [string, string, readonly string[], readonly string[]]
  return { id, tenant, roles, via }
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}
