// A gateway as the auth plugin sees one: real stores in a folder of its own, a clock that stands still, a record that only lists.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AdminEvent,
  type CommandIo,
  type Exchange,
  type Hooks,
  type JsonValue,
  type Log,
  type Outgoing,
  type Peer,
  type PluginContext,
  type Principal,
  Recording,
  type RequestVerdict,
} from 'mcpgw/plugin'
import { createStores } from '../../../core/store/index.ts'
import { keyCommands } from '../../../plugins/auth/commands.ts'
import { type AuthConfig, configSchema } from '../../../plugins/auth/config.ts'
import auth from '../../../plugins/auth/index.ts'

export interface Started {
  readonly hooks: Hooks
  readonly warnings: string[]
  readonly health: (string | undefined)[]
  /** What the plugin reads as the wall clock, ms. */
  now: number
  /** And as the clock that never goes back. */
  mono: number
  /** Runs what waits for the clock. */
  tick(): void
  readonly waits: number[]
  /** What callers have open, by the id of their key; ended by the plugin. */
  readonly open: Map<string, { sessions: number; requests: number }>
  /** The same of those who came with a token. */
  readonly openOf: Map<Principal, { sessions: number; requests: number }>
  /** Documents that it shows to everybody, by name. */
  readonly documents: Map<string, (rest: string, host: string) => JsonValue | undefined>
  present(headers: Readonly<Record<string, string | readonly string[]>>, more?: Partial<Exchange>): Promise<RequestVerdict>
  stop(): Promise<void>
}

export interface Home {
  readonly dir: string
  readonly recorded: AdminEvent[]
  start(config?: unknown, recording?: Recording | null, outgoing?: Outgoing): Promise<Started>
  run(
    path: string,
    args: readonly string[],
    options?: { json?: boolean; now?: number; config?: unknown; record?: AdminEvent[] } & Record<string, unknown>,
  ): Promise<Ran>
  remove(): void
}

export interface Ran {
  readonly exit: number
  readonly out: string
  readonly err: string
}

export const startOfTests: number = Date.UTC(2026, 0, 1)

/** `url`: of a database that other homes may share. */
export function makeHome(url?: string): Home {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'auth-')))
  const stores = createStores({ dataDir: dir, ...(url !== undefined && { url }) })
  const recorded: AdminEvent[] = []
  const record: Recording = {
    event: async event => {
      recorded.push(event)
    },
  }

  return {
    dir,
    recorded,
    async start(config = {}, recording = record, outgoing = noWayOut) {
      const releases: (() => unknown)[] = []
      const pending = new Set<() => void>()
      const started = {
        now: startOfTests,
        mono: 0,
        warnings: [] as string[],
        health: [] as (string | undefined)[],
        waits: [] as number[],
        open: new Map() as Started['open'],
        openOf: new Map() as Started['openOf'],
      }
      const documents: Started['documents'] = new Map()
      const ctx = {
        // Many tests fail more often than anybody may.
        config: configSchema.parse({ failures: { limit: 100_000 }, ...(config as object) }),
        log: logInto(started.warnings),
        clock: {
          now: () => started.now,
          mono: () => started.mono,
          after(ms: number, run: () => void) {
            started.waits.push(ms)
            pending.add(run)
            return () => pending.delete(run)
          },
        },
        stores,
        order: ['auth'],
        dischargers: [],
        provide: () => {},
        offer: () => {},
        publish: (name: string, read: (rest: string) => JsonValue | undefined) => documents.set(name, read),
        outgoing,
        expel: expelFrom(started),
        find: (service: unknown) => (service === Recording ? (recording ?? undefined) : undefined),
        health: (state: { why: string } | undefined) => started.health.push(state?.why),
        onStop: (release: () => unknown) => releases.unshift(release),
      } as unknown as PluginContext<AuthConfig>
      const stop = async (): Promise<void> => {
        for (const release of releases) await release()
      }
      let hooks: Hooks
      try {
        hooks = await auth.setup(ctx)
        await hooks.start?.()
      } catch (error) {
        await stop()
        throw error
      }
      return Object.assign(started, {
        hooks,
        documents,
        stop,
        tick() {
          const due = [...pending]
          pending.clear()
          for (const run of due) run()
        },
        present: async (headers: Readonly<Record<string, string | readonly string[]>>, more: Partial<Exchange> = {}) =>
          await hooks.onRequest!({ direction: 'to-server', peer: httpPeer(headers), ...more } as Exchange),
      })
    },
    async run(path, args, { json = false, now = startOfTests, config = {}, record: own, ...options } = {}) {
      const command = keyCommands.find(each => each.path.join(' ') === path)!
      const said = { out: [] as string[], err: [] as string[] }
      const defaults = Object.fromEntries((command.options ?? []).map(({ flags, default: value }) => [/--(\w+)/.exec(flags)![1], value]))
      const io = {
        args: (command.args ?? []).map((_, at) => args[at]),
        options: { ...defaults, ...options },
        json,
        config: configSchema.parse(config),
        stores,
        clock: { now: () => now },
        log: logInto([]),
        operator: { id: 'cli:tester', uid: 1000 },
        record: async (event: AdminEvent) => own !== undefined && own.push(event) > 0,
        out: (text: string) => said.out.push(text),
        err: (text: string) => said.err.push(text),
      } as unknown as CommandIo<AuthConfig>
      const exit = await (await command.load())(io)
      return { exit, out: said.out.join('\n'), err: said.err.join('\n') }
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function expelFrom({ open, openOf }: Pick<Started, 'open' | 'openOf'>): PluginContext['expel'] {
  return isMeant => {
    const ended = { sessions: 0, requests: 0 }
    const take = <K>(from: Map<K, typeof ended>, principalOf: (key: K) => Principal): void => {
      for (const [key, { sessions, requests }] of from) {
        if (!isMeant(principalOf(key))) continue
        from.delete(key)
        ended.sessions += sessions
        ended.requests += requests
      }
    }
    take(open, keyId => ({ id: 'somebody', roles: [], tenant: 'default', claims: {}, via: { method: 'api-key', keyId } }))
    take(openOf, principal => principal)
    return ended
  }
}

const noWayOut: Outgoing = { request: () => Promise.reject(new Error('there is no way out')) }

export function httpPeer(headers: Readonly<Record<string, string | readonly string[]>>, more: Partial<Peer> = {}): Peer {
  return { transport: 'http', ip: '127.0.0.1', ...more, header: name => [headers[name] ?? []].flat() }
}

export const stdioPeer: Peer = { transport: 'stdio', header: () => [] }

function logInto(lines: string[]): Log {
  const keep = (message: string, fields?: unknown): void => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  return { debug: () => {}, info: () => {}, warn: keep, error: keep }
}
