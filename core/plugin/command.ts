// A verb of the command line that a plugin brings (`audit verify`, `keys create`).
import type { Clock, Log } from './host.ts'
import type { Inspection, InspectOptions } from './inspection.ts'
import type { RecordReader } from './outcomes.ts'
import type { PersonalHolder } from './personal.ts'
import type { AdminEvent, Operator, Service } from './service.ts'
import type { Stores } from './store.ts'

export type Command<C = unknown> = ConfiguredCommand<C> | StandaloneCommand<C>

/** Runs on the plugin's checked config and on the stores; a config that does not load ends it with 2. */
export interface ConfiguredCommand<C> extends CommandForm {
  readonly standalone?: false
  /** Imports the implementation. The number it resolves to is the exit code (0 done, 1 the answer is no, 2 usage, 3 could not, 4 not proven). */
  load(): Promise<(io: CommandIo<C>) => Promise<number>>
}

/** Runs on its arguments: where it does not ask for the config, a broken one stops nothing. */
export interface StandaloneCommand<C> extends CommandForm {
  readonly standalone: true
  /** As of a configured one. */
  load(): Promise<(io: StandaloneIo<C>) => Promise<number>>
}

interface CommandForm {
  /** e.g. `['audit', 'verify']`. */
  readonly path: readonly string[]
  readonly summary: string
  /** Positional arguments: `<required>`, `[optional]`, `[many...]`. */
  readonly args?: readonly {
    readonly name: string
    readonly summary: string
  }[]
  /** `flags` as in commander: `-n, --limit <n>`. `--json`, `--config` and `--data-dir` exist everywhere. */
  readonly options?: readonly {
    readonly flags: string
    readonly summary: string
    readonly default?: string
  }[]
  /** Whole command lines, shown in the help and run in the docs test. */
  readonly examples: readonly string[]
}

interface BareIo {
  /** Positional arguments in order; an optional one that is absent is undefined, `[many...]` an array. */
  readonly args: readonly (string | readonly string[] | undefined)[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly json: boolean
  readonly clock: Clock
  /** Where relative paths of the command line start from. */
  readonly cwd: string
  readonly signal: AbortSignal
  /** Results; a line break is added where the text does not end with one. */
  out(text: string): void
  /** Everything else: progress, hints, errors; likewise. */
  err(text: string): void
  /** True where stderr is a terminal that may show progress. */
  readonly interactive: boolean
  /** Whether stdout may get colours. */
  readonly color: boolean
  /** Starts the servers of the config and asks each what it offers; nothing is called, and nothing recorded. `failed`: the config does not start, and why. */
  inspect(options?: InspectOptions): Promise<Inspection | { readonly failed: string }>
}

export interface CommandIo<C = unknown> extends BareIo {
  /** The plugin's checked config, its defaults where the file does not name the plugin. */
  readonly config: C
  readonly stores: Stores
  readonly log: Log
  /** Who runs the command. */
  readonly operator: Operator
  /**
   * Puts on record what the command does, also while no gateway runs; the actor is the operator unless the event names one. False where
   * the config has no recorder or it does not work now: then keep the event, and hand it to `Recording` when a gateway runs.
   */
  record(event: AdminEvent): Promise<boolean>
  /** A service of the plugin that keeps the record, set up for this command alone. Undefined where it has none; rejects where it does not work now. */
  find<T>(service: Service<T>): Promise<T | undefined>
  /** The plugins of the config that keep something about people. Rejects where one of the config does not load: who can say what it keeps. */
  personal(): Promise<readonly PersonalHolder[]>
  /** Those that read the durable record. Rejects where one of the config does not load, or cannot tell how far it is: then nothing may go. */
  readers(): Promise<readonly RecordReader[]>
}

export interface StandaloneIo<C = unknown> extends BareIo {
  /** The plugin's checked config, on demand. Undefined where it does not load; then the reason has been told on stderr. */
  loadConfig(): Promise<C | undefined>
  /** Fills in `${NAME}` and `${env:NAME}` as where a config is loaded; secrets are refused. `problem`: why it cannot be. */
  expand(text: string): { readonly text: string; readonly variables: readonly string[] } | { readonly problem: string }
}
