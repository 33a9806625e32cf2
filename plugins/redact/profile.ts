// What applies to a message: the first rule that fits its server, tool and caller, or the settings above all rules.
import type { Exchange, Resource } from 'mcpgw/plugin'
import { selectDetectors } from './catalog.ts'
import type { RedactConfig, Rule, Settings } from './config.ts'
import type { Action } from './detector.ts'
import { type FieldPath, parsePath } from './field-path.ts'
import { strictest } from './finding.ts'
import { compilePattern, type Pattern } from './patterns.ts'
import { compileScanner, type Scanner } from './scanner.ts'

export interface Profile {
  /** Its place in `all`. */
  readonly index: number
  /** Absent: no detector looks. */
  readonly scanner: Scanner | undefined
  readonly patterns: readonly Pattern[]
  readonly fields: readonly FieldPath[]
  /** Models that other plugins or the config add are asked. */
  readonly models: boolean
}

export interface Profiles {
  readonly all: readonly Profile[]
  /** Without an exchange, and for lists, server and caller are not known: everything that any rule looks for, by its strictest action. */
  of(exchange: Exchange | undefined): Profile
  /** For what is stored or shown, not sent: nothing is blocked, dropped or made comparable. */
  readonly stored: Profile
  readonly usesTokens: boolean
}

export function compileProfiles(config: RedactConfig): Profiles {
  const settings = [config, ...config.rules.map(rule => apply(rule, config))]
  const all: Profile[] = []
  const add = (
    detected: ReadonlyMap<string, Action>,
    { fields, models }: Pick<Settings, 'fields' | 'models'>,
    patterns = config.patterns,
  ): Profile => {
    const profile: Profile = {
      models,
      index: all.length,
      scanner: compileScanner(selectDetectors([...detected.keys()], Object.fromEntries(detected))),
      patterns: patterns.map(one => compilePattern(one) as Pattern),
      fields: [...new Set(fields)].map(text => parsePath(text)!),
    }
    all.push(profile)
    return profile
  }
  const perRule = settings.map(one => add(actionsOf(one), one))
  const union = unite(settings.map(actionsOf))
  const together = { fields: settings.flatMap(one => one.fields), models: settings.some(one => one.models) }
  const softened = (change: (action: Action) => Action): Profile =>
    add(
      new Map([...union].map(([id, action]) => [id, change(action)])),
      together,
      config.patterns.map(one => ({ ...one, action: change(one.action) })),
    )
  const unknown = softened(action => (action === 'block' ? 'replace' : action))
  const stored = softened(action => (action === 'mask' ? 'mask' : 'replace'))
  const exempt: Profile = { index: all.length, scanner: undefined, patterns: [], fields: perRule[0]!.fields, models: false }
  all.push(exempt)

  const servers = new Set(config.exempt.servers)
  const tools = new Set(config.exempt.tools)
  const tests = config.rules.map(compileTest)
  return {
    all,
    stored,
    usesTokens: [...union.values(), ...config.patterns.map(one => one.action)].includes('token'),
    of(exchange) {
      if (exchange === undefined) return unknown
      const { resource, principal } = exchange
      if (resource.kind === 'plumbing' || resource.kind === 'list') return unknown
      const tool = toolOf(resource)
      if (servers.has(resource.server) || (tool !== undefined && tools.has(tool))) return exempt
      const fit = tests.findIndex(test => test(resource.server, tool, principal?.roles ?? []))
      return perRule[fit + 1]!
    },
  }
}

function apply(rule: Rule, above: Settings): Settings {
  return {
    detectors: rule.detectors ?? above.detectors,
    actions: { ...above.actions, ...rule.actions },
    fields: [...above.fields, ...(rule.fields ?? [])],
    models: rule.models ?? above.models,
  }
}

function actionsOf({ detectors, actions }: Settings): ReadonlyMap<string, Action> {
  const chosen = new Map<string, Action>()
  for (const { id, action } of selectDetectors(detectors, actions)) chosen.set(id, action)
  return chosen
}

function unite(chosen: readonly ReadonlyMap<string, Action>[]): ReadonlyMap<string, Action> {
  const union = new Map<string, Action>()
  for (const one of chosen) for (const [id, action] of one) union.set(id, strictest(action, union.get(id) ?? action))
  return union
}

function compileTest({ servers, tools, roles }: Rule): (server: string, tool: string | undefined, held: readonly string[]) => boolean {
  return (server, tool, held) =>
    (servers?.includes(server) ?? true) &&
    (tools === undefined || (tool !== undefined && tools.includes(tool))) &&
    (roles === undefined || roles.some(role => held.includes(role)))
}

function toolOf(resource: Resource): string | undefined {
  return resource.kind === 'call' ? `${resource.server}__${resource.tool}` : undefined
}
