// Sets the plugins up as a start does, and lets go of them again: nothing is started, served or asked, and what they keep stays as it is.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../clock.ts'
import type { Finding } from '../finding.ts'
import { type CheckedPlugin, loadPlugin, type PluginEntry } from '../loader.ts'
import { mayListen } from '../order.ts'
import type { GatewayFacts, Log } from '../plugin/index.ts'
import { createRehearsalStores } from '../store/rehearsal-stores.ts'
import { tokens } from './services.ts'
import { compose, setUp } from './set-up.ts'

export interface Rehearsal {
  /** What the start would refuse; of several plugins, as far as each can be judged. */
  readonly findings: readonly Finding[]
  /** Why the gateway would not listen at `host`. */
  readonly listen: Finding | undefined
  /** Those that need a database of others, or a plugin that does. */
  readonly skipped: readonly string[]
}

export interface RehearsalOptions {
  readonly limits: { readonly hookMs: number }
  readonly store: { readonly dir: string; readonly url?: string | undefined }
  readonly host: string
  readonly gateway: GatewayFacts
  readonly version: string
  /** Where plugins are looked for. */
  readonly cwd: string
  scrub(text: string): string
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Of plugins that load, in an order that holds. */
export async function rehearse(entries: readonly PluginEntry[], options: RehearsalOptions): Promise<Rehearsal> {
  const { limits, store, version, cwd, scrub } = options
  const loaded = await Promise.all(entries.map(entry => loadPlugin(entry, cwd)))
  const plugins = loaded.flatMap(one => (one.kind === 'loaded' ? [one.checked] : []))
  const stores = createRehearsalStores(store)
  const instance = { id: hostname(), boot: randomUUID(), version }
  const run = compose(plugins, limits, { log: silent, clock: systemClock, stores, instance, scrub, dir: cwd, gateway: options.gateway })
  const findings: Finding[] = []
  const skipped: string[] = []
  const has = (one: CheckedPlugin): boolean => (one.plugin.requires ?? []).every(service => run.services.get(tokens.registry).has(service))
  try {
    for (const checked of plugins) {
      const made = has(checked) ? await setUp(checked, run) : undefined
      const wantsDatabase = stores.wasAsked()
      if (made === undefined || ('code' in made && wantsDatabase)) skipped.push(checked.plugin.name)
      else if ('code' in made) findings.push({ ...made, message: scrub(stores.tell(made.message)) })
    }
  } finally {
    await run.releases.run()
    await run.services.dispose()
    stores.remove()
  }
  return { findings, listen: mayListen(options.host, plugins), skipped }
}
