// What a verb of the command line is to the CLI, whether the core or a plugin brings it.
import type { Environment } from '../config/locate.ts'

export interface Verb {
  /** e.g. `['config', 'show']`. */
  readonly path: readonly string[]
  readonly alias?: string
  readonly summary: string
  /** Positional arguments: `<required>`, `[optional]`, `[many...]`; with `choices`, one of these. */
  readonly args?: readonly { readonly name: string; readonly summary: string; readonly choices?: readonly string[] }[]
  /** `flags` as in commander. `--json`, `--config` and `--data-dir` exist everywhere. `repeat`: may stand more than once, gives an array. */
  readonly options?: readonly VerbOption[]
  readonly examples: readonly string[]
  /** A signal is its normal end: the exit code is its own, not that of the signal. */
  readonly endsBySignal?: boolean
  /** The number is the exit code: 0 done, 1 the answer is no, 2 usage or config, 3 could not, 4 not proven. */
  load(): Promise<(io: VerbIo) => Promise<number>>
}

export interface VerbOption {
  readonly flags: string
  readonly summary: string
  readonly default?: string
  readonly repeat?: boolean
}

export interface VerbIo {
  readonly args: readonly (string | readonly string[] | undefined)[]
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly json: boolean
  readonly version: string
  readonly env: Environment
  readonly cwd: string
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Whether each of the two streams may get colours. */
  readonly color: { readonly out: boolean; readonly err: boolean }
  /** All that the command line knows: of the core, of built-in plugins and of those of the config. */
  listVerbs?(): Promise<readonly Verb[]>
  /** True where stderr is a terminal. */
  readonly interactive: boolean
  /** Results. */
  out(text: string): void
  /** Everything else. */
  err(text: string): void
}

/** What stands around the verbs: the process, or a test. */
export type Surroundings = Omit<VerbIo, 'args' | 'options' | 'json'>

export function textOption(io: Pick<VerbIo, 'options'>, name: string): string | undefined {
  const value = io.options[name]
  return typeof value === 'string' ? value : undefined
}

export function listOption(io: Pick<VerbIo, 'options'>, name: string): readonly string[] | undefined {
  const value = io.options[name]
  return Array.isArray(value) ? value : undefined
}
