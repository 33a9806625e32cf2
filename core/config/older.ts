// Translates the older gateway.yaml: each section becomes the config of the plugin that enforces it, in the one order that is safe.
import { resolve } from 'node:path'
import { type Diagnostic, diagnose } from './diagnostic.ts'
import type { OlderAudit, OlderAuth, OlderShape } from './older-shape.ts'
import type { PlacedPlugin, Section } from './placed.ts'
import type { FileShape } from './shape.ts'
import { entryOf, keySpanOf, type Path, type Source } from './tree.ts'

export interface Translated {
  readonly shape: Pick<FileShape, 'listen' | 'servers'>
  readonly plugins: readonly PlacedPlugin[]
  readonly sections: readonly Section[]
  readonly warnings: readonly Diagnostic[]
}

const newOnly = ['plugins', 'listen', 'store', 'secrets', 'limits', 'names', 'refusals', 'log']
const olderOnly = ['auth', 'audit', 'metering', 'rateLimit', 'host', 'port']

/** By content, so that either shape may have any name; the name decides where the content fits both. */
export function isOlderShape(source: Source): boolean {
  const has = (key: string): boolean => entryOf(source.root, key) !== undefined
  if (newOnly.some(has)) return false
  if (olderOnly.some(has)) return true
  const policies = entryOf(source.root, 'policies')?.value
  if (policies?.kind === 'list' && policies.items.length > 0) return policies.items.some(item => item.kind === 'map')
  return /(^|[\\/])gateway\.(ya?ml|json)$/.test(source.file)
}

export function translateOlder(shape: OlderShape, source: Source, baseDir: string): Translated {
  const plugins: PlacedPlugin[] = []
  const sections: Section[] = []
  const warnings: Diagnostic[] = []
  const demand = (path: Path, plugin: string | undefined, section = sectionName(path)): void => {
    sections.push({ section, plugin, source, span: keySpanOf(source.root, path.slice(0, -1), String(path.at(-1))) })
  }
  const load = (name: string, path: Path, config: unknown, renamed?: Readonly<Record<string, string>>): void => {
    demand(path, name)
    plugins.push({ name, config, source, path, ...(renamed === undefined ? {} : { renamed }) })
  }
  const { auth, audit, policies, rateLimit, metering } = shape
  const limits = rateLimit === undefined || rateLimit.enabled === false ? undefined : limitsOf(rateLimit, auth)
  if (audit !== undefined && audit.enabled !== false) {
    load('audit', ['audit'], auditConfig(audit, baseDir))
    if (audit.storage !== undefined && audit.storage !== 'sqlite')
      demand(['audit', 'storage'], undefined, `audit.storage: ${audit.storage}`)
    if (audit.export !== undefined) demand(['audit', 'export'], undefined)
    if (audit.retentionDays !== undefined) demand(['audit', 'retentionDays'], undefined)
    if (audit.hashChain === false) {
      const span = keySpanOf(source.root, ['audit'], 'hashChain')
      const message = 'hashChain: false has no effect, the chain is always on'
      warnings.push(diagnose(source, span, { code: 'chain-always-on', severity: 'warning', message }))
    }
  }
  if (auth !== undefined && auth.type !== 'none') {
    load('auth', ['auth'], authConfig(auth), { apiKeys: 'keys' })
    if (auth.type !== 'api-key') demand(['auth', 'type'], undefined, `auth.type: ${auth.type}`)
    for (const [index, key] of (auth.keys ?? []).entries()) {
      if (key.rateLimit !== undefined) demand(['auth', 'keys', index, 'rateLimit'], limits === undefined ? undefined : 'ratelimit')
      if (key.expiresAt !== undefined) demand(['auth', 'keys', index, 'expiresAt'], undefined)
    }
  }
  if (limits !== undefined) load('ratelimit', ['rateLimit'], limits)
  if (policies !== undefined) load('policy', ['policies'], { policies })
  if (metering !== undefined && metering.enabled !== false) load('meter', ['metering'], {})

  const servers = (shape.servers ?? []).map(({ id, name, command, args, env, enabled, timeout, maxMemory }) => {
    return { id, name, command, args, env, enabled, timeout, ...(maxMemory && { limits: { memory: memoryOf(maxMemory) } }) }
  })
  const { host, port } = shape
  const listen = host === undefined && port === undefined ? {} : { listen: { host, port } }
  return { shape: { ...listen, servers }, plugins, sections, warnings }
}

/** It stood for megabytes; nobody means a limit of less than one, so a number that large is one of bytes. */
function memoryOf(maxMemory: number): number {
  return maxMemory < 1024 ** 2 ? maxMemory * 1024 ** 2 : maxMemory
}

function auditConfig(audit: OlderAudit, baseDir: string): unknown {
  return audit.path === undefined ? {} : { path: resolve(baseDir, audit.path) }
}

function authConfig(auth: OlderAuth): unknown {
  return { apiKeys: (auth.keys ?? []).map(key => without(without(key, 'rateLimit'), 'expiresAt')) }
}

function limitsOf(rateLimit: object, auth: OlderAuth | undefined): unknown {
  const keys = (auth?.keys ?? []).flatMap(({ id, rateLimit: own }) => (own === undefined ? [] : [[id, own] as const]))
  return { ...without(rateLimit, 'enabled'), ...(keys.length > 0 && { keys: Object.fromEntries(keys) }) }
}

function without(section: object, key: string): object {
  return Object.fromEntries(Object.entries(section).filter(([name]) => name !== key))
}

// `auth.keys[0].rateLimit`
function sectionName(path: Path): string {
  return path.reduce<string>((name, step) => (typeof step === 'number' ? `${name}[${step}]` : name === '' ? step : `${name}.${step}`), '')
}
