// From the config to a bundle that may come into force: its files, the older form of policies, and the lock, read anew each time.
import { hash } from 'node:crypto'
import { mayOthersWrite, type PluginContext, strangerOf } from 'mcpgw/plugin'
import { type Lock, positionOf, readLock } from 'mcpgw/policy'
import { type Bundle, type compileBundle, digestOf, isRefused, type Refused } from './bundle.ts'
import { lockPath, readLockFile } from './catalog/lock-file.ts'
import type { PolicyConfig } from './config.ts'
import { olderSources } from './older.ts'
import { readSources, stampOf } from './sources.ts'

export interface Loaded {
  readonly bundle: Bundle
  readonly lock: Lock | undefined
  /** Of the text of the lock. */
  readonly catalogDigest: string | undefined
}

export interface Loading {
  load(): Promise<Loaded | Refused>
  /** Changes whenever something that `load` reads does. */
  stamp(): Promise<string>
}

export function createLoading(
  { config, clock, dischargers }: Pick<PluginContext<PolicyConfig>, 'config' | 'clock' | 'dischargers'>,
  compile: typeof compileBundle,
): Loading {
  const { files, dir } = config
  const lockFile = lockPath(undefined, config, process.cwd())
  const known = new Set(dischargers)
  // One object for one text: whoever compares locks sees whether there is a new one.
  let kept: { readonly digest: string; readonly lock: Lock } | undefined

  async function loadLock(): Promise<{ readonly digest: string; readonly lock: Lock } | string | undefined> {
    const found = await readLockFile(lockFile)
    if (found === undefined) {
      if (config.lock !== undefined) return `${lockFile}: there is no such file`
      return config.catalog === 'pinned'
        ? `${lockFile}: there is no such file, and \`catalog: pinned\` needs it: mcpgw catalog lock`
        : undefined
    }
    const { text, about } = found
    const stranger = strangerOf(about)
    if (stranger !== undefined) return `${lockFile}: ${stranger}. Run: chown root ${lockFile}`
    if (mayOthersWrite(about)) return `${lockFile}: others than its owner may change it. Run: chmod go-w ${lockFile}`
    const digest = `sha256:${hash('sha256', text)}`
    if (kept?.digest === digest) return kept
    const { lock, diagnostics } = readLock(text, lockFile)
    const [first] = diagnostics
    if (lock !== undefined) {
      kept = { digest, lock }
      return kept
    }
    if (first === undefined) return `${lockFile}: no catalog lock`
    const { line, column } = positionOf(text, first.span.start)
    return `${lockFile}:${line}:${column}: ${first.severity}[${first.code}]: ${first.message}`
  }

  return {
    async load() {
      const { sources, problems } = await readSources(files, dir, true)
      const older = olderSources(config)
      const all = [...sources, ...older.sources]
      const lock = await loadLock()
      const wrong = [...problems, ...older.problems, ...(typeof lock === 'string' ? [lock] : [])]
      if (wrong.length > 0 || typeof lock === 'string') return { findings: wrong, digest: digestOf(all) }
      const bundle = compile(all, { lock: lock?.lock, dischargers: known, now: new Date(clock.now()) })
      return isRefused(bundle) ? bundle : { bundle, lock: lock?.lock, catalogDigest: lock?.digest }
    },
    stamp: () => stampOf([...files, lockFile], dir),
  }
}
