// Is it a plugin? Checks what a file exports, and what its setup returned, before anything of it is called.

import { describeError } from '../guard.ts'
import type { Capability, Hooks, Plugin } from '../plugin/index.ts'
import { suggest } from '../plugin/suggest.ts'

const CAPABILITIES: readonly Capability[] = [
  'authenticates',
  'decides',
  'masks',
  'records',
  'answers',
  'rewrites-request',
  'rewrites-response',
  'narrows-list',
]
const HOOKS: readonly (keyof Hooks)[] = [
  'start',
  'onConnection',
  'onRequest',
  'onSealed',
  'onList',
  'onNotification',
  'onResponse',
  'discharge',
  'onSettled',
  'onRefused',
  'onServerChange',
  'onClose',
  'reload',
]
const MEMBERS = [
  'name',
  'apiVersion',
  'config',
  'capabilities',
  'provides',
  'requires',
  'discharges',
  'commands',
  'tables',
  'explains',
  'personal',
  'fits',
  'readThrough',
  'setup',
]

/** Why it is no plugin; undefined where it is one. `wanted`: the name that it must have. */
export function checkPluginShape(candidate: unknown, wanted?: string): string | undefined {
  if (!isMap(candidate)) return 'the default export is no plugin (see definePlugin in mcpgw/plugin)'
  const {
    name,
    apiVersion,
    config,
    capabilities,
    provides = [],
    requires = [],
    discharges = [],
    commands = [],
    tables,
    explains,
    personal,
    fits,
    readThrough,
    setup,
  } = candidate
  if (apiVersion !== 1) return `apiVersion is ${JSON.stringify(apiVersion) ?? 'absent'}, this gateway has version 1`
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) return 'its name must be lower-case letters, digits and dashes'
  if (wanted !== undefined && name !== wanted) return `it calls itself ${JSON.stringify(name)}`
  const unknown = Object.keys(candidate).find(key => !MEMBERS.includes(key))
  if (unknown !== undefined) return withHint(`a plugin has no ${JSON.stringify(unknown)}`, unknown, MEMBERS)
  const standard = isMap(config) || typeof config === 'function' ? (config as Record<string, unknown>)['~standard'] : undefined
  if (!isMap(standard) || standard.version !== 1 || typeof standard.validate !== 'function')
    return 'its config is no Standard Schema (zod, valibot, ...)'
  if (typeof capabilities !== 'function' && !Array.isArray(capabilities))
    return 'its capabilities must be a list, or a function that returns one'
  if (!isList(provides, isService)) return 'provides must be a list of services'
  if (!isList(requires, isService)) return 'requires must be a list of services'
  if (!isList(discharges, one => typeof one === 'string' && one !== '')) return 'discharges must be a list of names'
  if (!isList(commands, one => isMap(one) && typeof one.load === 'function')) return 'commands must be a list of commands'
  if (tables !== undefined && !isTables(tables)) return 'tables must have a schema, and steps as texts or as the URL of a folder'
  if (explains !== undefined && typeof explains !== 'function') return 'explains must be a function that returns its codes'
  if (personal !== undefined && typeof personal !== 'function') return 'personal must be a function that returns what asks and erases'
  if (fits !== undefined && typeof fits !== 'function') return 'fits must be a function that holds its config against the rest'
  if (readThrough !== undefined && typeof readThrough !== 'function')
    return 'readThrough must be a function that says how far it has read the record'
  return typeof setup === 'function' ? undefined : 'it has no setup'
}

/** The capabilities under this config, or why they are none. */
export function checkCapabilities(plugin: Plugin, config: unknown): ReadonlySet<Capability> | string {
  let declared: unknown
  try {
    declared = typeof plugin.capabilities === 'function' ? plugin.capabilities(config) : plugin.capabilities
  } catch (error) {
    return `its capabilities could not be asked: ${describeError(error).split('\n', 1)[0]}`
  }
  if (!Array.isArray(declared)) return 'its capabilities are no list'
  const unknown: unknown = declared.find(one => !CAPABILITIES.includes(one))
  if (unknown !== undefined)
    return withHint(`there is no capability ${JSON.stringify(unknown)}`, typeof unknown === 'string' ? unknown : '', CAPABILITIES)
  return new Set(declared as Capability[])
}

/** Why what setup returned are no hooks; undefined where they are. */
export function checkHooks(plugin: Plugin, hooks: unknown): string | undefined {
  if (!isMap(hooks)) return 'setup returned no hooks'
  for (const [name, hook] of Object.entries(hooks)) {
    if (!(HOOKS as readonly string[]).includes(name)) return withHint(`there is no hook ${JSON.stringify(name)}`, name, HOOKS)
    if (hook !== undefined && typeof hook !== 'function') return `its hook ${name} is no function`
  }
  if ((plugin.discharges ?? []).length > 0 && hooks.discharge === undefined) return 'it declares obligations but has no hook "discharge"'
  return undefined
}

function withHint(message: string, word: string, known: readonly string[]): string {
  const near = suggest(word, known)
  return near === undefined ? message : `${message}; did you mean ${JSON.stringify(near)}?`
}

function isService(value: unknown): boolean {
  return isMap(value) && typeof value.id === 'symbol' && typeof value.name === 'string'
}

function isTables(value: unknown): boolean {
  if (!isMap(value) || typeof value.schema !== 'string') return false
  return value.steps instanceof URL || isList(value.steps, one => typeof one === 'string')
}

function isList(value: unknown, isMember: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isMember)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
