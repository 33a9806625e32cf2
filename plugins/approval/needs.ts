// Who must say yes, and whether somebody may: each need is met by another person, and never by the one who asks.
import { type DurationForm, type Obligation, type Principal, readDuration } from 'mcpgw/plugin'

/** `role:NAME`, or `principal:ID`. */
export type Need = string

export interface Asked {
  /** Sorted, each once. */
  readonly needs: readonly Need[]
  /** How long the request waits, and how long it then holds. */
  readonly forMs: number
}

/** As policies write it. */
const TIMEOUT: DurationForm = { units: ['ms', 's', 'm', 'h', 'd', 'w'] }
const NEED = /^(role|principal):.+$/s

/** All that the obligations of one call ask for together, the shortest time; undefined where one cannot be read. */
export function readNeeds(obligations: readonly Obligation[]): Asked | undefined {
  const needs = new Set<Need>()
  let forMs = Number.POSITIVE_INFINITY
  for (const { args } of obligations) {
    const by = args.find(({ name }) => name === 'by')?.value
    const timeout = args.find(({ name }) => name === 'timeout')?.value
    const ms = typeof timeout === 'string' ? readDuration(timeout, TIMEOUT) : undefined
    if (args.length !== 2 || typeof by !== 'string' || !NEED.test(by) || ms === undefined) return undefined
    needs.add(by)
    forMs = Math.min(forMs, ms)
  }
  return needs.size === 0 ? undefined : { needs: [...needs].sort(), forMs }
}

/** `operator`: whoever has the data of the gateway in hand, and could change the policy as well. */
export type Decider = Pick<Principal, 'id' | 'tenant' | 'roles'> | 'operator'

/** Those of `open` that a yes of theirs may meet. */
export function meets(who: Decider, open: readonly Need[]): readonly Need[] {
  if (who === 'operator') return open
  return open.filter(need => need === `principal:${who.id}` || who.roles.some(role => need === `role:${role}`))
}
