// Proves the order of the plugins. Nothing is ever sorted: a wrong order is refused, and the order that would do is named.
import type { SourcePosition } from './config/schema.ts'
import type { Finding } from './finding.ts'
import type { Capability, Plugin, Service } from './plugin/index.ts'

export interface Ordered {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  readonly provides: readonly Service<unknown>[]
  readonly requires: readonly Service<unknown>[]
  readonly discharges: readonly string[]
  readonly at?: SourcePosition | undefined
}

/** What of a checked plugin its place depends on. */
export function toOrdered({
  plugin,
  capabilities,
  at,
}: {
  readonly plugin: Pick<Plugin, 'name' | 'provides' | 'requires' | 'discharges'>
  readonly capabilities: Ordered['capabilities']
  readonly at?: Ordered['at']
}): Ordered {
  const { name, provides = [], requires = [], discharges = [] } = plugin
  return { name, capabilities, provides, requires, discharges, at }
}

interface Rule {
  readonly earlier: Capability
  readonly later: Capability
  readonly why: string
}

const RULES: readonly Rule[] = [
  { earlier: 'authenticates', later: 'decides', why: 'the decision needs the caller' },
  { earlier: 'rewrites-request', later: 'decides', why: 'what is decided is what is sent' },
  { earlier: 'authenticates', later: 'masks', why: 'masking starts when the request is final' },
  { earlier: 'rewrites-request', later: 'masks', why: 'what is rewritten later would not be masked' },
  { earlier: 'records', later: 'masks', why: 'on the way back the record takes what masking leaves' },
  { earlier: 'decides', later: 'answers', why: 'only what is allowed is answered' },
  { earlier: 'authenticates', later: 'answers', why: 'the answer is for the caller' },
  { earlier: 'rewrites-request', later: 'answers', why: 'what is answered is what would be sent' },
]

interface Edge {
  readonly before: Ordered
  readonly after: Ordered
  readonly why: string
}

export function proveOrder(plugins: readonly Ordered[]): readonly Finding[] {
  const twice = findTwice(plugins)
  if (twice.length > 0) return twice
  return [...findServices(plugins), ...findObligations(plugins), ...findMisplaced(plugins)]
}

function findMisplaced(plugins: readonly Ordered[]): readonly Finding[] {
  const edges = findEdges(plugins)
  const wrong = edges.filter(({ before, after }) => plugins.indexOf(before) > plugins.indexOf(after))
  if (wrong.length === 0) return []
  const order = sort(plugins, edges)
  const help = order ? `this order would do: ${order.map(one => one.name).join(', ')}` : 'no order would do: take one of them out'
  return wrong.map(({ before, after, why }) => ({
    code: 'plugin-order',
    plugin: before.name,
    message: `${before.name} must stand before ${after.name}: ${why}`,
    help,
    at: before.at,
  }))
}

function findEdges(plugins: readonly Ordered[]): readonly Edge[] {
  const edges = new Map<string, Edge>()
  const add = (before: Ordered, after: Ordered, why: string): void => {
    const key = `${before.name}\n${after.name}`
    if (before !== after && !edges.has(key)) edges.set(key, { before, after, why })
  }
  for (const { earlier, later, why } of RULES) {
    for (const before of plugins) {
      if (!before.capabilities.has(earlier)) continue
      for (const after of plugins) if (after.capabilities.has(later)) add(before, after, why)
    }
  }
  // Before he is known a caller has neither roles nor tenant nor key, and limits on these would count nobody.
  for (const before of plugins.filter(({ capabilities }) => capabilities.has('authenticates')))
    for (const after of plugins)
      if (after.discharges.some(name => name === 'limit' || name === 'rate')) add(before, after, 'what is limited is the caller')
  for (const after of plugins) {
    for (const wanted of after.requires) {
      const before = plugins.find(one => one.provides.some(service => service.id === wanted.id))
      if (before !== undefined) add(before, after, `it provides "${wanted.name}"`)
    }
  }
  return [...edges.values()]
}

/** The order nearest to the one given: the first that waits for nobody goes next. Undefined where they wait for each other. */
function sort(plugins: readonly Ordered[], edges: readonly Edge[]): readonly Ordered[] | undefined {
  const left = [...plugins]
  const sorted: Ordered[] = []
  while (left.length > 0) {
    const next = left.findIndex(one => !edges.some(edge => edge.after === one && left.includes(edge.before)))
    if (next < 0) return undefined
    sorted.push(...left.splice(next, 1))
  }
  return sorted
}

function findTwice(plugins: readonly Ordered[]): Finding[] {
  return plugins
    .filter((plugin, i) => plugins.findIndex(other => other.name === plugin.name) < i)
    .map(({ name, at }) => ({
      code: 'plugin-twice',
      plugin: name,
      message: `${name} stands twice in the order`,
      help: 'take one of them out',
      at,
    }))
}

function findServices(plugins: readonly Ordered[]): Finding[] {
  const findings: Finding[] = []
  const providers = new Map<symbol, string>()
  for (const { name, provides, at } of plugins) {
    for (const service of provides) {
      const other = providers.get(service.id)
      if (other !== undefined && other !== name)
        findings.push({
          code: 'service-twice',
          plugin: name,
          message: `${other} and ${name} both provide "${service.name}"`,
          help: 'load one of them',
          at,
        })
      else providers.set(service.id, name)
    }
  }
  for (const { name, requires, at } of plugins) {
    for (const { id, name: wanted } of requires) {
      if (providers.has(id)) continue
      const help = 'load a plugin that provides it, before this one'
      findings.push({
        code: 'service-missing',
        plugin: name,
        message: `${name} requires "${wanted}", which no loaded plugin provides`,
        help,
        at,
      })
    }
  }
  return findings
}

function findObligations(plugins: readonly Ordered[]): Finding[] {
  const findings: Finding[] = []
  const dischargers = new Map<string, string>()
  for (const { name, discharges, at } of plugins) {
    for (const obligation of discharges) {
      const other = dischargers.get(obligation)
      if (other !== undefined && other !== name)
        findings.push({
          code: 'obligation-twice',
          plugin: name,
          message: `${other} and ${name} both discharge "${obligation}"`,
          help: 'load one of them',
          at,
        })
      else dischargers.set(obligation, name)
    }
  }
  return findings
}

/** Beyond loopback somebody must prove who calls, and somebody must decide. `host` as in the config. */
export function mayListen(host: string, plugins: readonly Pick<Ordered, 'capabilities'>[]): Finding | undefined {
  if (isLoopback(host)) return undefined
  const has = (capability: Capability): boolean => plugins.some(plugin => plugin.capabilities.has(capability))
  const missing = [...(has('authenticates') ? [] : ['authenticates']), ...(has('decides') ? [] : ['decides'])]
  if (missing.length === 0) return undefined
  return {
    code: 'listen-open',
    message: `${JSON.stringify(host)} is not a loopback address, and no loaded plugin ${missing.join(' or ')}`,
    help: 'listen on 127.0.0.1, or load plugins that do (auth, policy)',
  }
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^127(\.(0|[1-9]\d{0,2})){3}$/.test(bare)
}
