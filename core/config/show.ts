// The config as people may see it: every value with where it came from, and no secret among them.
import { isPem } from '../pem.ts'
import type { RestTool } from '../upstream/rest/tool.ts'
import type { Assembled } from './assemble.ts'
import { hidePassword } from './database-url.ts'
import { soundsSecret } from './injected.ts'
import { describeOrigin, trace } from './trace.ts'

export interface ShownValue {
  /** `servers.0.command` */
  readonly path: string
  readonly value: unknown
  /** A flag, a variable, `file:line:col`, or `default`. */
  readonly origin: string
}

const hidden = '[hidden]'

/** The leaves of the config in order; empty lists and maps are leaves. */
export function listShown({ config, origins }: Pick<Assembled, 'config' | 'origins'>): ShownValue[] {
  const shown: ShownValue[] = []
  const visit = (value: unknown, path: readonly string[], before: unknown): void => {
    if (path.at(-1) === 'at' && alone(path).length === 3) return
    // Follows from where the file is.
    if (path.join('.') === 'listen.tls.root') return
    const tools = isToolList(path) ? (value as readonly RestTool[]).map(({ name }) => name) : undefined
    const inner = tools === undefined && typeof value === 'object' && value !== null ? Object.entries(value) : []
    for (const [index, [key, one]] of inner.entries()) visit(one, [...path, key], inner[index - 1]?.[1])
    if (inner.length > 0 || value === undefined) return
    const traced = trace(path, origins)
    const written = traced.kind === 'text' && traced.tree.kind === 'scalar' ? traced.tree.written : undefined
    const seen = written ?? tools ?? conceal(path, value, before)
    const isDatabase = path[0] === 'store' && (path[1] === 'url' || path[1] === 'redis') && typeof seen === 'string'
    shown.push({ path: path.join('.'), value: isDatabase ? hidePassword(seen) : seen, origin: describeOrigin(traced) })
  }
  visit(config, [], undefined)
  return shown
}

/** Their names are shown: the rest is in a document of its own. */
function isToolList(path: readonly string[]): boolean {
  const [top, , field, ...rest] = alone(path)
  return top === 'servers' && field === 'tools' && rest.length === 0
}

/** The same as one document. */
export function toShownConfig(values: readonly ShownValue[]): unknown {
  const root: Record<string, unknown> = {}
  for (const { path, value } of values) {
    const steps = path.split('.')
    let at = root
    for (const step of steps.slice(0, -1)) {
      at[step] ??= {}
      at = at[step] as Record<string, unknown>
    }
    at[steps.at(-1) ?? ''] = value
  }
  return toLists(root)
}

function toLists(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([key, one]) => [key, toLists(one)] as const)
  const isList = entries.length > 0 && entries.every(([key], index) => key === String(index))
  return isList ? entries.map(([, one]) => one) : Object.fromEntries(entries)
}

/** A version of a server, `servers.0.versions.1.server.url`, as if it stood there alone. */
function alone(path: readonly string[]): readonly string[] {
  return path[2] === 'versions' && path[4] === 'server' ? [...path.slice(0, 2), ...path.slice(5)] : path
}

function conceal(at: readonly string[], value: unknown, before: unknown): unknown {
  const path = alone(at)
  if (typeof value !== 'string') return value
  const top = path[0]
  if (top === 'metrics' || (top === 'telemetry' && path[1] === 'headers')) return hidden
  const field = path[2] === 'instances' ? path[4] : path[2]
  if (top === 'servers' && path.length > 3 && (field === 'env' || field === 'headers')) return hidden
  if (top === 'servers' && field === 'auth' && path.at(-1) === 'clientSecret') return hidden
  if (top === 'servers' && field === 'auth' && path.at(-1) === 'privateKey' && isPem(value)) return hidden
  if (top === 'servers' && field === 'args') return concealArgument(value, before)
  if (top === 'servers' && field === 'url') return value.replace(/(?<=[?&][^=&#]+=)[^&#]+/g, hidden)
  return top === 'plugins' && path.some(step => soundsSecret(step)) ? hidden : value
}

function concealArgument(value: string, before: unknown): string {
  if (typeof before === 'string' && before.startsWith('-') && soundsSecret(before)) return hidden
  const [, flag, name = ''] = /^(--?([\w-]+)=)/.exec(value) ?? []
  return flag !== undefined && soundsSecret(name) ? `${flag}${hidden}` : value
}
