// What of a config takes effect at a start only: everything but its servers.
import { isDeepStrictEqual } from 'node:util'
import type { GatewayConfig, ListenConfig, PluginEntry } from './schema.ts'

/** Paths into the config of what differs, in the order of the sections. */
export function findRestarts(before: GatewayConfig, now: GatewayConfig): readonly (readonly (string | number)[])[] {
  const [old, { plugins, ...rest }] = [comparable(before), comparable(now)]
  const sections = Object.keys({ ...old, ...rest }).filter(key => key !== 'servers' && key !== 'plugins')
  const differing = sections
    .filter(key => !isDeepStrictEqual(rest[key as keyof typeof rest], old[key as keyof typeof rest]))
    .map(key => [key])
  return isDeepStrictEqual(plugins, old.plugins) ? differing : [...differing, pluginOf(old.plugins, plugins)]
}

function comparable(config: GatewayConfig) {
  return { ...config, listen: withoutKey(config.listen), plugins: config.plugins.map(withoutPlace) }
}

function withoutPlace(entry: PluginEntry) {
  return { ...entry, at: undefined }
}

type Named = Pick<PluginEntry, 'name'>

/** A key that is a secret is asked for again with each certificate. */
function withoutKey({ tls, ...listen }: ListenConfig) {
  return tls?.keySecret === undefined ? { ...listen, tls } : { ...listen, tls: { ...tls, key: '' } }
}

/** The first that differs; the list where its order or its length does. */
function pluginOf(before: readonly Named[], now: readonly Named[]): (string | number)[] {
  const isSameList = before.length === now.length && before.every(({ name }, i) => name === now[i]!.name)
  const at = now.findIndex((entry, i) => !isDeepStrictEqual(entry, before[i]))
  return isSameList ? ['plugins', at, 'config'] : at < 0 ? ['plugins'] : ['plugins', at, 'name']
}
