// The price table, compiled: what a call costs, in whole thousandths of a unit.
import { compileGlob, type DurableOutcome } from 'mcpgw/plugin'
import type { MeterConfig, PriceConfig } from './config.ts'
import { kindOf, type OutcomeKind } from './outcome-kinds.ts'

export type Priced = Pick<
  DurableOutcome,
  'action' | 'tenant' | 'server' | 'target' | 'outcome' | 'requestBytes' | 'resultBytes' | 'upstreamMs'
>

export interface Prices {
  /** What a call has cost that ended so, in thousandths of a unit. */
  of(call: Priced): bigint
  /** What one will cost at least that is answered. */
  least(call: Pick<Priced, 'action' | 'tenant' | 'server' | 'target'>): bigint
}

// What is polled or completed on the way costs nothing, nor what a server asks of a client.
const COSTLY: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
// The server has done its part, or the caller did not wait for it.
const CHARGED: ReadonlySet<OutcomeKind> = new Set(['answered', 'tool-error', 'withheld', 'cancelled'])
const KEPT = 10_000
// No message has so many bytes, and no call takes so many ms: sums of less do not overflow.
const LARGEST = 2 ** 31

export function createPrices({ prices, defaultPrice }: Pick<MeterConfig, 'prices' | 'defaultPrice'>): Prices {
  const rules = prices.map(rule => ({ rule, matches: compileRule(rule) }))
  const usual: Rule = { units: defaultPrice, per: 'call', toolErrors: 'charged' }
  const known = new Map<string, Rule>()

  function ruleFor(tenant: string, server: string, name: string): Rule {
    const key = JSON.stringify([tenant, server, name])
    let found = known.get(key)
    if (found === undefined) {
      found = rules.find(({ matches }) => matches(tenant, server, name))?.rule ?? usual
      if (known.size >= KEPT) known.clear()
      known.set(key, found)
    }
    return found
  }

  const priceOf = (call: Parameters<Prices['least']>[0]): Rule | undefined => {
    const rule = COSTLY.has(call.action) ? ruleFor(call.tenant ?? '', call.server ?? '', targetOf(call)) : undefined
    return rule?.units === 0 ? undefined : rule
  }

  return {
    of(call) {
      const kind = kindOf(call.outcome)
      const rule = CHARGED.has(kind) ? priceOf(call) : undefined
      return rule === undefined || (kind === 'tool-error' && rule.toolErrors === 'free') ? 0n : cost(rule, call)
    },
    least(call) {
      const rule = priceOf(call)
      if (rule === undefined) return 0n
      return rule.per === 'call' ? BigInt(rule.units) : 1n
    },
  }
}

type Rule = Pick<PriceConfig, 'units' | 'per' | 'toolErrors'>

function compileRule(rule: PriceConfig): (tenant: string, server: string, name: string) => boolean {
  const [tenant, server, tool] = [rule.tenant, rule.server, rule.tool].map(glob => (glob === undefined ? () => true : compileGlob(glob)))
  return (ofTenant, ofServer, name) => tenant!(ofTenant) && server!(ofServer) && tool!(name)
}

/** Begun thousandths are charged whole. */
function cost({ units, per }: Rule, { requestBytes, resultBytes, upstreamMs }: Priced): bigint {
  if (per === 'call') return BigInt(units)
  const [amount, size] = per === 'kb' ? [whole(requestBytes) + whole(resultBytes), 1024n] : [whole(upstreamMs), 1000n]
  return (BigInt(units) * BigInt(amount) + size - 1n) / size
}

/** The log is read back from a file that others may have changed: what is no amount counts as none. */
export function whole(amount: number | undefined): number {
  return typeof amount === 'number' && amount > 0 && amount <= LARGEST ? Math.ceil(amount) : 0
}

/** A tool or prompt by its name. Uris are without end and may tell of people, so all else goes by its method. */
export function targetOf({ action, target }: Pick<DurableOutcome, 'action' | 'target'>): string {
  return (action === 'tools/call' || action === 'prompts/get') && typeof target === 'string' ? target : knownMethod(action)
}

const METHODS: ReadonlySet<string> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'tasks/get',
  'tasks/result',
  'tasks/list',
  'tasks/cancel',
  'tasks/update',
])

/** Others are texts of callers, of which there is no end. */
const knownMethod = (action: string): string => (METHODS.has(action) ? action : 'other')
