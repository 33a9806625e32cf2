// What operators have killed, as it is asked for with every request: whose requests are refused, and which servers are let be.
import { versionName } from '../config/places.ts'
import { errors } from '../errors.ts'
import type { Operator, Principal } from '../plugin/index.ts'
import type { Refusal } from '../refusal.ts'

export const KINDS = ['tenant', 'server', 'key', 'version'] as const
export type KillKind = (typeof KINDS)[number]

export interface KillTarget {
  readonly kind: KillKind
  /** The tenant, the id of the server in the config, the id of the API key, or `ID@VERSION` of a server. */
  readonly name: string
}

export interface Kill extends KillTarget {
  /** ms since 1970. */
  readonly at: number
  readonly by: Operator
  /** In the operator's words; callers are never told. */
  readonly because?: string
}

interface Killable {
  readonly id: string
  readonly version?: string | undefined
}

export interface Kills {
  readonly all: readonly Kill[]
  /** For the record and the caller alike; undefined where the caller may go on. */
  refuseCaller(principal: Pick<Principal, 'tenant' | 'via'> | undefined): Refusal | undefined
  /** Also where no more than the version is killed: its callers are given others, so that whoever still means it has no other. */
  refuseServer(server: Killable): Refusal | undefined
}

export function indexKills(all: readonly Kill[]): Kills {
  const named = (of: KillKind): ReadonlySet<string> => new Set(all.flatMap(({ kind, name }) => (kind === of ? [name] : [])))
  const [tenants, servers, keys, versions] = [named('tenant'), named('server'), named('key'), named('version')]
  return {
    all,
    refuseCaller(principal) {
      if (principal === undefined) return undefined
      if (tenants.has(principal.tenant)) return TENANT
      const { method, keyId } = principal.via
      return method === 'api-key' && keyId !== undefined && keys.has(keyId) ? KEY : undefined
    },
    refuseServer({ id, version }) {
      if (servers.has(id)) return SERVER
      return version !== undefined && versions.size > 0 && versions.has(versionName({ id, version })) ? VERSION : undefined
    },
  }
}

/** For the record. */
export function detailOf({ kind, name, because }: KillTarget & Pick<Kill, 'because'>): Readonly<Record<string, string>> {
  const why = because === undefined ? {} : { because }
  if (kind !== 'version') return { [kind]: name, ...why }
  const at = name.indexOf('@')
  return { server: name.slice(0, at), version: name.slice(at + 1), ...why }
}

export const NO_KILLS: Kills = indexKills([])

const refusalOf = (kind: KillKind): Refusal => ({ code: 'killed', reason: errors.killed.text, by: [`kill/${kind}`] })
const TENANT: Refusal = Object.freeze({ ...refusalOf('tenant'), ofCaller: true })
const KEY: Refusal = Object.freeze({ ...refusalOf('key'), ofCaller: true })
const SERVER: Refusal = Object.freeze(refusalOf('server'))
const VERSION: Refusal = Object.freeze(refusalOf('version'))
