// Bundles and calls that have to do with each other: both are drawn from one small catalog, so that every verdict is frequent.
import type { Action, Effect } from '../../../dsl/ast.ts'
import type { Facts, Subject } from '../../../dsl/facts.ts'
import type { Value } from '../../../dsl/value.ts'
import type { WrittenFile, WrittenRule, WrittenTarget } from '../written.ts'
import type { Deed } from './evaluate.ts'

export interface Draw {
  below(limit: number): number
  chance(percent: number): boolean
  one<T>(of: readonly T[]): T
  some<T>(of: readonly T[], most: number): T[]
}

/** mulberry32: the same seed, the same bundles. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  return {
    below,
    one,
    chance: percent => next() * 100 < percent,
    some: (of, most) => Array.from({ length: 1 + below(most) }, () => one(of)),
  }
}

const roles = ['support', 'lead', 'admin', 'constructor']
const tenants = ['acme', 'other']
const agents = ['a1', 'a2']
const minute = 60_000
export const noon: number = Date.parse('2026-11-21T12:00:00Z')

const fields: Readonly<Record<string, readonly Value[]>> = {
  customer: ['c-1', 'c-2', 'c-11', ''],
  amount: [0n, 1n, 100n, 501n, 2.5],
  branch: ['feature/x', 'main'],
  constructor: ['x'],
  __proto__: [new Map([['customer', 'c-1']])],
}
const odd: readonly Value[] = [null, true, '5', 5n, ['c-1'], new Map([['toString', 'c-1']]), '', []]
const tools: readonly (readonly [server: string, name: string])[] = [
  ['crm', 'get_customer'],
  ['crm', 'get.customer'],
  ['crm', 'search'],
  ['crm', 'get_a/b'],
  ['git', 'push'],
  ['git', 'merge_x'],
  ['git', 'get_\nx'],
  ['gateway', 'call'],
]
const uris = ['file:///h/a', 'file:///h/a/b', 'file:///h/../secret', 'FILE:///h/%2e%2E/secret', 'file:///h', 'file:///secret', 'file:///h/']
const methods = ['sampling/createMessage', 'roots/list', 'x']
const toolPatterns: readonly WrittenTarget[] = [
  'crm/get_*',
  'crm/*',
  '*/*',
  'crm/get_customer',
  'crm/get.*',
  'git/*',
  '*/get_*',
  'c*m/*e*',
  'gateway/*',
  'git/push',
  ['crm', 'get_a/b'],
  ['crm', 'get_*'],
  '@some',
  '*/*_*_*',
]
const readPatterns: readonly WrittenTarget[] = [
  'docs/*',
  '*/*',
  ['docs', 'file:///h/*'],
  ['docs', 'file:///h/**'],
  ['*', 'file:///**'],
  ['docs', 'file:///secret'],
  ['docs', 'file:///**/b'],
  ['d*', '**a*'],
]
const methodPatterns: readonly WrittenTarget[] = [['docs', 'sampling/createMessage'], 'docs/*', ['*', 'roots/list']]

const onArgs = [
  'args.customer == principal.claims.customer',
  'has(args.customer) && args.customer.startsWith("c-1")',
  'has(args.amount) && args.amount <= 100',
  'args.amount > 100',
  '!has(args.amount) || args.amount < 2',
  'args.customer in ["c-1", "c-2"]',
  'args.branch.startsWith("feature/")',
  'args.flag',
  'has(args.constructor)',
  'args.amount == 5 || args.customer != "c-2"',
  'own',
  'own || !has(args.customer)',
]
const anywhere = [
  'principal.tenant == "acme"',
  '"lead" in principal.roles',
  'principal.claims.level >= 2',
  'principal.id != "a2"',
  'has(request.ip) && request.ip == "10.0.0.7"',
  'true',
  'false',
  'request.time < timestamp("2026-11-21T12:00:00Z")',
  'principal.claims.customer == "c-1"',
]
const onTools = ['tool.name.startsWith("get")', 'tool.server == "crm"']
const onReads = ['resource.uri.startsWith("file:///h/")', 'resource.server == "docs"']

export function drawFile(draw: Draw): WrittenFile {
  const count = 3 + draw.below(14)
  return fileOf(
    drawSet(draw),
    Array.from({ length: count }, (_, i) => drawRule(draw, i)),
  )
}

/** What rules of `drawRule` refer to is in it. */
export function fileOf(some: readonly WrittenTarget[], rules: readonly WrittenRule[]): WrittenFile {
  return { lets: { own: 'args.customer == principal.claims.customer' }, sets: { some }, rules }
}

export function drawSet(draw: Draw): readonly WrittenTarget[] {
  return draw.some(
    toolPatterns.filter(one => one !== '@some'),
    3,
  )
}

export function drawRule(draw: Draw, i: number): WrittenRule {
  const effect: Effect = draw.one(['allow', 'allow', 'allow', 'allow', 'deny', 'deny', 'require'])
  const action: Action = draw.one(['call', 'call', 'call', 'call', 'read', 'prompt', 'method'])
  const on = [{ action, targets: draw.some(patterns(action), 3), except: draw.chance(15) ? draw.some(patterns(action), 1) : [] }]
  const wide = effect === 'allow' ? 45 : 75
  const pool = [
    ...anywhere,
    ...(action === 'call' || action === 'prompt' ? [...onArgs, ...onArgs] : []),
    ...(action === 'call' ? onTools : action === 'read' ? onReads : []),
  ]
  const cel = (): string =>
    draw.chance(25) ? `(${draw.one(pool)}) ${draw.one(['&&', '||'])} ${draw.chance(30) ? '!' : ''}(${draw.one(pool)})` : draw.one(pool)
  return {
    effect,
    name: `r${i}`,
    on,
    ...(draw.chance(12) && { shadow: true }),
    ...((effect === 'allow' || draw.chance(50)) && {
      who: draw.some(subjects, 3),
      ...(draw.chance(15) && { notWho: draw.some(subjects.slice(3), 1) }),
    }),
    ...(draw.chance(wide) && { when: cel() }),
    ...(draw.chance(20) && { unless: cel() }),
    ...(draw.chance(effect === 'deny' ? 25 : 6) && { after: { events: draw.some(events, 2), withinMs: draw.one([minute, 30 * minute]) } }),
    ...(effect !== 'deny' && (effect === 'require' || draw.chance(40)) && { duties: draw.some(duties, 3) }),
    ...(draw.chance(50) && { because: `because ${i}` }),
    ...(effect === 'allow' && draw.chance(8) && { expires: draw.one(['2026-11-20', '2026-11-21', '2027-01-01']) }),
  }
}

const subjects = [
  'any',
  'any',
  'any',
  'role support',
  'role lead in tenant acme',
  'agent a1',
  'tenant other',
  'role support in role lead',
  'role constructor',
  'role admin',
]
const events: readonly (readonly ['call' | 'read', WrittenTarget])[] = [
  ['call', 'crm/*'],
  ['call', '@some'],
  ['read', ['docs', 'file:///secret']],
  ['read', 'docs/*'],
]
const duties: NonNullable<WrittenRule['duties']> = [
  ['redact', '$.ssn'],
  ['redact', '$.a', '$.b[*]'],
  ['log', 'meta'],
  ['log', 'args'],
  ['log', 'full'],
  ['limit', 5, ['per', '1h']],
  ['limit', 9, ['per', '1h'], ['by', 'tenant']],
]

function patterns(action: Action): readonly WrittenTarget[] {
  return action === 'read' ? readPatterns : action === 'method' ? methodPatterns : toolPatterns
}

export function drawSubject(draw: Draw): Subject {
  const claims = new Map<string, Value>()
  if (draw.chance(80)) claims.set('customer', draw.one(fields.customer!))
  if (draw.chance(70)) claims.set('level', draw.one<Value>([1n, 2n, 3n, '3']))
  return { id: draw.one(agents), roles: draw.some(roles, 3), tenant: draw.one(tenants), claims }
}

export interface DrawnCall {
  readonly facts: Facts
  /** What `facts.history` knows. */
  readonly deeds: readonly Deed[] | undefined
}

export function drawCall(draw: Draw): DrawnCall {
  const action: Action = draw.one(['call', 'call', 'call', 'call', 'call', 'read', 'prompt', 'method'])
  const [server, name] = action === 'read' ? ['docs', draw.one(uris)] : action === 'method' ? ['docs', draw.one(methods)] : draw.one(tools)
  const args = new Map<string, Value>()
  for (const [field, values] of Object.entries(fields))
    if (draw.chance(55)) args.set(field, draw.chance(12) ? draw.one(odd) : draw.one(values))
  if (draw.chance(30)) args.set('flag', draw.chance(80) ? draw.chance(50) : draw.one(odd))
  const time = new Date(noon + draw.one([-1, 0, 1, 13 * 60 * minute]))
  const before = time.getTime()
  const deeds = draw.chance(15)
    ? undefined
    : Array.from({ length: draw.below(4) }, (): Deed => {
        const at = before - draw.one([0, minute, minute + 1, 30 * minute, 31 * minute])
        return draw.chance(70) ? ['call', ...draw.one(tools), at] : ['read', 'docs', draw.one(uris), at]
      })
  return {
    facts: {
      principal: drawSubject(draw),
      action,
      server,
      name,
      ...((action === 'call' || action === 'prompt') && { args }),
      request: { time, ...(draw.chance(50) && { ip: draw.one(['10.0.0.7', '10.0.0.8']) }) },
      history: historyOf(deeds),
    },
    deeds,
  }
}

export function historyOf(deeds: readonly Deed[] | undefined): Facts['history'] {
  return (
    deeds && {
      lastMatch: (matcher, since) => {
        const times = deeds
          .filter(deed => deed[0] === matcher.action && deed[3] >= since && matcher.matches(deed[1], deed[2]))
          .map(deed => deed[3])
        return times.length === 0 ? undefined : Math.max(...times)
      },
    }
  )
}
