// What was loaded, for the record: the digest of a plugin's file, and the version of the package that it lies in.
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface PluginOrigin {
  /** `sha256:` and hex, of the file that was imported; what that imports in turn is not in it. Absent for built-in and given plugins. */
  readonly digest?: string
  /** Of the package; a built-in plugin has the gateway's. */
  readonly version?: string
}

export function readOrigin(file: string): PluginOrigin {
  const version = versionAbove(dirname(file))
  return { digest: `sha256:${hash('sha256', readFileSync(file), 'hex')}`, ...(version !== undefined && { version }) }
}

/** Of the nearest package.json. */
function versionAbove(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    try {
      const { version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as { readonly version?: unknown }
      return typeof version === 'string' ? version : undefined
    } catch {
      if (dirname(at) === at) return undefined
    }
  }
}
