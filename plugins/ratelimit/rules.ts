// The limits of the config, compiled: which requests count against which, and for how much.
import { compileGlob, type Exchange, type Rate } from 'mcpgw/plugin'
import type { Cell, Count, LimitName } from './cell.ts'
import type { Cost, LimitConfig, Match, RatelimitConfig } from './config.ts'
import { keyOf, type Per, whoseOf } from './whose.ts'

const minuteMs = 60_000

/** Adds what this request counts. */
export type Rule = (x: Exchange, into: Count[]) => void

/** So many at once of each. */
export interface AtOnce {
  readonly limit: LimitName
  readonly most: number
  /** Undefined where it does not count. */
  keyOf(x: Exchange): string | undefined
}

type Fits = (x: Exchange) => boolean

export function compileRules(config: RatelimitConfig): readonly Rule[] {
  const rates = config.limits.flatMap(limit => (limit.most === undefined ? [] : [compileRate(limit, limit.most)]))
  return [compileMinutes(config), ...rates]
}

export function compileAtOnce({ limits }: RatelimitConfig): readonly AtOnce[] {
  return limits.flatMap(({ name, per, match, atOnce }) => {
    if (atOnce === undefined) return []
    const fits = compileMatch(match)
    const keyOf = (x: Exchange): string | undefined => (fits(x) ? `${name}/${atOnce}\0${whoseOfAll(per, x)}` : undefined)
    return [{ limit: { text: `limit "${name}": ${atOnce} at once by ${per.join(', ')}`, by: per.join('+') }, most: atOnce, keyOf }]
  })
}

function compileRate({ name, per, match, window, burst, costs }: LimitConfig, most: number): Rule {
  const fits = compileMatch(match)
  const dear = costs.map(one => ({ fits: compileTargets(one), cost: one.cost }))
  const by = per.join('+')
  const cells: { readonly cell: Cell; readonly limit: LimitName }[] = [
    {
      cell: { kind: 'window', id: `${name}/${by}/w/${most}/${window}`, most, spanMs: window },
      limit: { text: `limit "${name}": ${most} per ${window / 1000}s by ${per.join(', ')}`, by },
    },
  ]
  if (burst !== undefined) {
    const everyMs = window / most
    cells.push({
      cell: { kind: 'bucket', id: `${name}/${by}/b/${most}/${window}/${burst}`, everyMs, depthMs: burst * everyMs },
      limit: { text: `limit "${name}": ${burst} at once by ${per.join(', ')}`, by },
    })
  }
  return (x, into) => {
    if (!fits(x)) return
    const whose = whoseOfAll(per, x)
    let cost = 1
    for (const one of dear) if (one.cost > cost && one.fits(x)) cost = one.cost
    for (const { cell, limit } of cells) into.push({ cell, whose, cost, limit })
  }
}

/** So many requests a minute of each principal, and of each key for which the config has a rate; the rate that a credential has of itself is in place of the default. */
function compileMinutes({ defaultPerMinute, burstMultiplier, keys }: RatelimitConfig): Rule {
  const spread = (most: number, perMs: number): { readonly everyMs: number; readonly depthMs: number } => {
    const everyMs = perMs / most
    return { everyMs, depthMs: Math.max(everyMs, perMs * burstMultiplier) }
  }
  const cellOf = (perMinute: number): Cell => {
    const times = spread(perMinute, minuteMs)
    return { kind: 'bucket', id: `minute/${perMinute}/${times.depthMs}`, ...times }
  }
  // A credential brings the same object each time.
  const rated = new WeakMap<Rate, Cell>()
  const cellOfRate = (rate: Rate): Cell => {
    const { most, perMs } = rate
    const cell = rated.get(rate) ?? { kind: 'bucket', id: `rate/${most}/${perMs}/${burstMultiplier}`, ...spread(most, perMs) }
    rated.set(rate, cell)
    return cell
  }
  const usual = defaultPerMinute === undefined ? undefined : cellOf(defaultPerMinute)
  const byKey = new Map(Object.entries(keys).map(([id, perMinute]) => [id, cellOf(perMinute)]))
  const fits = compileMatch({ kinds: ['call', 'read', 'prompt', 'method'] })
  const limit: LimitName = { text: 'more requests a minute than are allowed', by: 'default' }
  const ofKey: LimitName = { text: 'more requests than the rate of the key', by: 'key' }
  return (x, into) => {
    const rate = x.principal?.rate
    if ((usual === undefined && byKey.size === 0 && rate === undefined) || !fits(x)) return
    const keyId = keyOf(x)
    const own = keyId === undefined ? undefined : byKey.get(keyId)
    if (own !== undefined) into.push({ cell: own, whose: whoseOf('key', x), cost: 1, limit })
    else if (rate !== undefined) into.push({ cell: cellOfRate(rate), whose: `rate\0${rate.of}`, cost: 1, limit: ofKey })
    else if (usual !== undefined) into.push({ cell: usual, whose: whoseOf('principal', x), cost: 1, limit })
  }
}

function whoseOfAll(per: readonly Per[], x: Exchange): string {
  return per.length === 1 ? whoseOf(per[0]!, x) : per.map(one => whoseOf(one, x)).join('\0\0')
}

function compileMatch({ kinds, roles, tenants, servers, tools }: Match): Fits {
  const isKind = new Set<string>(kinds)
  const role = compileAny(roles)
  const tenant = compileAny(tenants)
  const target = compileTargets({ servers, tools })
  return x =>
    x.direction === 'to-server' &&
    isKind.has(x.resource.kind) &&
    (role === undefined || (x.principal?.roles.some(role) ?? false)) &&
    (tenant === undefined || (x.principal !== undefined && tenant(x.principal.tenant))) &&
    target(x)
}

function compileTargets({ servers, tools }: Pick<Cost, 'servers' | 'tools'>): Fits {
  const server = compileAny(servers)
  const tool = compileAny(tools)
  return ({ resource }) =>
    (server === undefined || ('server' in resource && server(resource.server))) &&
    (tool === undefined || (resource.kind === 'call' && tool(resource.tool)))
}

function compileAny(patterns: readonly string[] | undefined): ((name: string) => boolean) | undefined {
  const globs = patterns?.map(pattern => compileGlob(pattern))
  return globs && (name => globs.some(fits => fits(name)))
}
