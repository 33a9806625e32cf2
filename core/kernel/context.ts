// What a plugin gets at setup: its config and its share of the gateway's services, and no more than it declared.
import type { Container } from '../container.ts'
import type { CheckedPlugin } from '../loader.ts'
import { logFor } from '../log.ts'
import type { ApartJob, Awaitable, Operation, PluginContext, Service } from '../plugin/index.ts'
import type { Published } from './edge.ts'
import { askReaders } from './readers.ts'
import { tokens } from './services.ts'

export interface Release {
  readonly plugin: string
  readonly release: () => Awaitable<void>
}

export interface ContextOptions {
  readonly services: Container
  readonly order: readonly string[]
  readonly open: boolean
  readonly dischargers: readonly string[]
  /** All of the config, started or not. */
  readonly plugins: readonly CheckedPlugin[]
  /** Takes what is to be run at stop; where the stop has begun, it runs it at once. */
  onStop(release: Release): void
}

export function createContext({ plugin, config }: CheckedPlugin, options: ContextOptions): PluginContext {
  const { services, order, open, dischargers, plugins } = options
  const host = services.get(tokens.host)
  const registry = services.get(tokens.registry)
  const log = logFor(services.get(tokens.log), plugin.name)
  const condition = services.get(tokens.health).component(plugin.name)
  const declares = (list: readonly Service<unknown>[] | undefined, service: Service<unknown>): boolean =>
    list?.some(one => one.id === service.id) ?? false
  return Object.freeze({
    config,
    log,
    clock: services.get(tokens.clock),
    metrics: services.get(tokens.metrics).of(plugin.name),
    stores: services.get(tokens.stores),
    instance: Object.freeze({ ...host.instance }),
    order,
    open,
    dischargers,
    provide<T>(service: Service<T>, value: T): void {
      if (!declares(plugin.provides, service)) throw new Error(`"${service.name}" is not among what ${plugin.name} provides`)
      registry.provide(service, value)
    },
    use<T>(service: Service<T>): T {
      if (!declares(plugin.requires, service)) throw new Error(`"${service.name}" is not among what ${plugin.name} requires`)
      const value = registry.find(service)
      if (value === undefined) throw new Error(`"${service.name}" is not there yet`)
      return value
    },
    find: <T>(service: Service<T>) => registry.find(service),
    scrub: (text: string) => (host.scrub ? host.scrub(text) : text),
    outgoing: services.get(tokens.outgoing),
    publish: (name: string, read: Published) => services.get(tokens.edge).publish(name, read),
    offer: (operation: Operation) => services.get(tokens.operations).add(operation),
    expel: (isMeant: Parameters<PluginContext['expel']>[0]) => services.get(tokens.edge).expel(isMeant),
    health: (state: Parameters<PluginContext['health']>[0]) => condition.set(state),
    apart: async (job: ApartJob) =>
      (await import('../apart/run.ts')).runApart({ stores: services.get(tokens.stores), clock: services.get(tokens.clock), log }, job),
    readers: () => askReaders(plugins, services.get(tokens.stores)),
    onStop: (release: () => Awaitable<void>) => options.onStop({ plugin: plugin.name, release }),
  })
}
