// `policies:` belongs to the plugin that decides by them: it is handed the files, and the folder that relative paths start from.
import type { PluginEntry } from './schema.ts'

export interface PolicyPlaces {
  /** Absolute, of the top-level `policies:`. */
  readonly files: readonly string[]
  /** The folder of the config file. */
  readonly baseDir: string
  /** `--observe`. */
  readonly observe?: boolean | undefined
}

export function withPolicies(entry: PluginEntry, { files, baseDir, observe }: PolicyPlaces): PluginEntry {
  const { name, config } = entry
  if (name !== 'policy' || typeof config !== 'object' || config === null || Array.isArray(config)) return entry
  const own: unknown = 'files' in config ? config.files : []
  // What is no list is for the plugin's own schema to refuse.
  const all = Array.isArray(own) ? [...files, ...(own as unknown[])] : own
  return { ...entry, config: { dir: baseDir, ...config, files: all, ...(observe === true && { mode: 'observe' }) } }
}
