// Runs a verb that a plugin brings, without the command line around it, and gathers what it says.
import { expandText } from '../config/interpolate.ts'
import type { AnyPlugin } from '../loader.ts'
import type { AdminEvent, Clock, Command, CommandIo, Inspection, Log, PersonalHolder, RecordReader, Stores } from '../plugin/index.ts'
import { createFakeClock } from './fake-clock.ts'
import { refusingStores } from './harness.ts'

export interface CommandOptions {
  readonly args?: CommandIo['args']
  readonly options?: CommandIo['options']
  readonly json?: boolean
  /** Of the plugin, unchecked; default `{}`. */
  readonly config?: unknown
  /** Where the command opens its databases; without it, opening one is an error. */
  readonly stores?: Stores
  readonly clock?: Clock
  readonly signal?: AbortSignal
  /** Where relative paths start from; default the working directory of the process. */
  readonly cwd?: string
  /** What `expand` finds set; default nothing. */
  readonly env?: Readonly<Record<string, string>>
  /** Gets what the command puts on record; without it there is no recorder. */
  readonly recorded?: AdminEvent[]
  /** Services of the recorder; none by default. */
  readonly find?: CommandIo['find']
  /** What other plugins keep about people; default nothing. */
  readonly personal?: readonly PersonalHolder[]
  /** How far other plugins have read the record; default nobody reads it. */
  readonly readers?: readonly RecordReader[]
  /** What `inspect` finds; without it, to ask is an error. */
  readonly inspection?: Inspection
}

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** `path` as in the command, e.g. `['keys', 'list']`. Throws where the plugin has no such command or refuses the config. */
export async function runCommand(plugin: AnyPlugin, path: readonly string[], how: CommandOptions = {}): Promise<Said> {
  const command: Command | undefined = plugin.commands?.find(one => one.path.join(' ') === path.join(' '))
  if (command === undefined) throw new Error(`${plugin.name} has no command ${JSON.stringify(path.join(' '))}`)
  const checked = await plugin.config['~standard'].validate(how.config ?? {})
  if (checked.issues !== undefined) throw new Error(checked.issues.map(({ message }) => message).join('; '))
  const said = { out: '', err: '' }
  const bare = {
    args: how.args ?? [],
    options: how.options ?? {},
    json: how.json ?? false,
    clock: how.clock ?? createFakeClock(),
    cwd: how.cwd ?? process.cwd(),
    signal: how.signal ?? new AbortController().signal,
    interactive: false,
    color: false,
    out(text: string) {
      said.out += endLine(text)
    },
    err(text: string) {
      said.err += endLine(text)
    },
  }
  const inspect: CommandIo['inspect'] = async options => {
    if (how.inspection === undefined) throw new Error('this run has no servers: give it an inspection')
    const { servers, ...known } = how.inspection
    return { ...known, servers: servers.filter(({ id }) => options?.only?.includes(id) ?? true) }
  }
  const code =
    command.standalone === true
      ? await (await command.load())({
          ...bare,
          inspect,
          loadConfig: async () => checked.value,
          expand: text => expandText(text, how.env ?? {}),
        })
      : await (await command.load())({
          ...bare,
          config: checked.value,
          stores: how.stores ?? refusingStores,
          log: silent,
          operator: { id: 'cli:tester', uid: 1000 },
          record: async event => how.recorded !== undefined && how.recorded.push(event) > 0,
          find: how.find ?? (async () => undefined),
          personal: async () => how.personal ?? [],
          readers: async () => how.readers ?? [],
          inspect,
        })
  return { code, ...said }
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
