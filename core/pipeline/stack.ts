// The loaded plugins, compiled once into one list of steps for each hook, so that a call pays only for hooks that exist.
import type { Site } from '../guard.ts'
import type { Capability, Hooks } from '../plugin/index.ts'

/** A plugin after setup. */
export interface LoadedPlugin {
  readonly name: string
  readonly capabilities: ReadonlySet<Capability>
  readonly discharges: readonly string[]
  readonly hooks: Hooks
  /** `open`: its failure counts as a pass. The order proof accepts that only of plugins that can do nothing. */
  readonly failure: 'closed' | 'open'
}

type HookName = keyof Hooks
type Run<H extends HookName> = NonNullable<Hooks[H]>

export interface Step<H extends HookName = HookName> {
  readonly site: Site
  /** Position of the plugin in the order. */
  readonly index: number
  readonly plugin: LoadedPlugin
  readonly run: Run<H>
}

export interface Stack {
  readonly plugins: readonly LoadedPlugin[]
  /** No deciding plugin is loaded. */
  readonly open: boolean
  /** Positions; -1 where there is none. */
  readonly lastAuthenticator: number
  readonly connection: readonly Step<'onConnection'>[]
  readonly request: readonly Step<'onRequest'>[]
  readonly sealed: readonly Step<'onSealed'>[]
  readonly list: readonly Step<'onList'>[]
  readonly refused: readonly Step<'onRefused'>[]
  readonly change: readonly Step<'onServerChange'>[]
  /** These four in reverse order. */
  readonly notification: readonly Step<'onNotification'>[]
  readonly response: readonly Step<'onResponse'>[]
  readonly settled: readonly Step<'onSettled'>[]
  readonly close: readonly Step<'onClose'>[]
  /** By the name of the obligation. */
  readonly dischargers: ReadonlyMap<string, Step<'discharge'>>
}

export function compileStack(plugins: readonly LoadedPlugin[]): Stack {
  function steps<H extends HookName>(hook: H): Step<H>[] {
    return plugins.flatMap((plugin, index) => {
      const run = plugin.hooks[hook]
      return run === undefined ? [] : [{ site: { plugin: plugin.name, hook }, index, plugin, run: run.bind(plugin.hooks) as Run<H> }]
    })
  }
  const dischargers = new Map(steps('discharge').flatMap(step => step.plugin.discharges.map(name => [name, step] as const)))
  return {
    plugins,
    open: !plugins.some(plugin => plugin.capabilities.has('decides')),
    lastAuthenticator: plugins.findLastIndex(plugin => plugin.capabilities.has('authenticates')),
    connection: steps('onConnection'),
    request: steps('onRequest'),
    sealed: steps('onSealed'),
    list: steps('onList'),
    refused: steps('onRefused'),
    change: steps('onServerChange'),
    notification: steps('onNotification').reverse(),
    response: steps('onResponse').reverse(),
    settled: steps('onSettled').reverse(),
    close: steps('onClose').reverse(),
    dischargers,
  }
}
