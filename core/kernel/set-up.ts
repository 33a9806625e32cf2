// Sets one plugin up, within the time that it has; what goes wrong is a finding that names it.
import { timedOut, within } from '../clock.ts'
import type { Container } from '../container.ts'
import type { Finding } from '../finding.ts'
import { describeError } from '../guard.ts'
import { checkHooks } from '../loader/check.ts'
import type { CheckedPlugin } from '../loader.ts'
import type { GatewayFacts, Hooks } from '../plugin/index.ts'
import { createContext } from './context.ts'
import { composeKernel, type Host, tokens } from './services.ts'
import { createReleases, type Releases } from './stop.ts'

/** What all plugins of one boot have in common. */
export interface Run {
  readonly services: Container
  readonly releases: Releases
  readonly limitMs: number
  readonly open: boolean
  readonly order: readonly string[]
  readonly dischargers: readonly string[]
  readonly plugins: readonly CheckedPlugin[]
}

export function compose(plugins: readonly CheckedPlugin[], limits: { readonly hookMs: number }, host: Host): Run {
  const limitMs = host.setupMs ?? 30_000
  return {
    services: composeKernel(host, limits),
    plugins,
    releases: createReleases(host.clock, limitMs, host.log),
    limitMs,
    open: !plugins.some(plugin => plugin.capabilities.has('decides')),
    dischargers: Object.freeze(plugins.flatMap(({ plugin }) => plugin.discharges ?? []).toSorted()),
    order: Object.freeze(plugins.map(({ plugin }) => plugin.name)),
  }
}

export async function setUp(checked: CheckedPlugin, { services, releases, limitMs, ...facts }: Run): Promise<Hooks | Finding> {
  const { plugin, config } = checked
  const { gateway } = services.get(tokens.host)
  const context = createContext(checked, { services, ...facts, onStop: releases.add })
  const hooks = await attempt(checked, services, limitMs, 'setup', async () => {
    if (gateway !== undefined) plugin.fits?.(config, gateway)
    const made = await plugin.setup(context)
    const why = checkHooks(plugin, made)
    if (why !== undefined) throw new Error(why)
    return made
  })
  if ('code' in hooks) return hooks
  const missing = (plugin.provides ?? []).find(service => !services.get(tokens.registry).has(service))
  return missing === undefined ? hooks : blame(checked, `setup of ${plugin.name} did not provide "${missing.name}"`)
}

/** Plugins whose config does not go together with what the rest of it will be, as far as each says so. */
export function findMisfits(plugins: readonly CheckedPlugin[], gateway: GatewayFacts): readonly Finding[] {
  return plugins.flatMap(({ plugin, config }): Finding[] => {
    try {
      plugin.fits?.(config, gateway)
      return []
    } catch (error) {
      return [{ code: 'plugin-setup', plugin: plugin.name, message: error instanceof Error ? error.message : describeError(error) }]
    }
  })
}

/** What `work` made, or the finding that names the plugin and what it threw. */
export async function attempt<T extends object>(
  checked: CheckedPlugin,
  services: Container,
  limitMs: number,
  what: string,
  work: () => Promise<T>,
): Promise<T | Finding> {
  const { name } = checked.plugin
  try {
    const made = await within(services.get(tokens.clock), limitMs, work)
    return made === timedOut ? blame(checked, `${what} of ${name} was not done within ${limitMs} ms`) : made
  } catch (error) {
    const detail = describeError(error)
    services.get(tokens.log).error(`${what} of a plugin failed`, { plugin: name, detail })
    return blame(checked, `${what} of ${name} failed: ${error instanceof Error ? error.message : detail}`)
  }
}

function blame({ plugin, at }: CheckedPlugin, message: string): Finding {
  return { code: 'plugin-setup', plugin: plugin.name, message, at }
}
