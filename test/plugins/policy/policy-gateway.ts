// A whole gateway that decides by policies: real relay, pipeline and plugin; who you are is what your `authorization` header says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AdminEvent, Hooks, PluginContext, Principal } from 'mcpgw/plugin'
import type { ConfiguredServer } from '../../../core/config/schema.ts'
import { createStores } from '../../../core/store/index.ts'
import { type PolicyConfig, config as schema } from '../../../plugins/policy/config.ts'
import { setUp } from '../../../plugins/policy/setup.ts'
import { plugin, startTestGateway, type TestGateway } from '../../core/data-plane/gateway.ts'
import { createLogBook, type LogLine, realClock } from '../../core/upstream/manual-clock.ts'

export interface PolicyGateway extends TestGateway {
  readonly hooks: Hooks
  readonly told: readonly LogLine[]
  readonly recorded: readonly AdminEvent[]
  /** Of the plugin. */
  readonly health: { readonly why: string } | undefined
  write(text: string, file?: string): void
}

/** `role:name` may stand in the header in place of a name: `support:ann`. */
export const identifying = plugin('names', ['authenticates'], {
  onRequest({ peer, direction }) {
    const [given] = peer.header('authorization')
    if (direction === 'to-client' || given === undefined || given === '') return { kind: 'pass' }
    const [role, id = role] = given.split(':') as [string, string?]
    const principal: Principal = { id, roles: [role], tenant: 'acme', claims: { customer_id: 'c-1' }, via: { method: 'test' } }
    return { kind: 'identify', principal }
  },
})

export async function startPolicyGateway(
  servers: readonly ConfiguredServer[],
  policy: string,
  options: Record<string, unknown> = {},
  /** More of what lies beside the policy, such as a lock. */
  files: Readonly<Record<string, string>> = {},
): Promise<PolicyGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-policies-'))
  const write = (text: string, file = 'a.policy'): void => writeFileSync(join(dir, file), text)
  write(policy)
  for (const [name, content] of Object.entries(files)) write(content, name)
  const { log, lines } = createLogBook()
  const releases: (() => unknown)[] = []
  const recorded: AdminEvent[] = []
  const metric = { inc() {}, set() {}, observe() {} }
  let health: PolicyGateway['health']
  const checked = await schema['~standard'].validate({ files: ['a.policy'], dir, ...options })
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues))
  const ctx: PluginContext<PolicyConfig> = {
    config: checked.value,
    log,
    clock: realClock,
    metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric },
    stores: createStores({ dataDir: dir }),
    instance: { id: 'gw', boot: 'b', version: '0' },
    order: ['policy'],
    open: false,
    dischargers: [],
    provide() {},
    use() {
      throw new Error('not declared')
    },
    find: () => ({ event: async (event: AdminEvent) => void recorded.push(event) }) as never,
    scrub: text => text,
    health(state) {
      health = state
    },
    outgoing: { request: () => Promise.reject(new Error('no way out in this test')) },
    publish() {},
    offer() {},
    expel: () => ({ sessions: 0, requests: 0 }),
    readers: async () => [],
    apart: async () => {
      throw new Error('nothing is done apart here')
    },
    onStop: release => void releases.unshift(release),
  }
  const hooks = await setUp(ctx)
  await hooks.start?.()
  const gateway = await startTestGateway({ servers, plugins: [identifying, plugin('policy', ['decides', 'narrows-list'], hooks)] })
  return {
    ...gateway,
    hooks,
    told: lines,
    recorded,
    write,
    get health() {
      return health
    },
    async stop() {
      await gateway.stop()
      for (const release of releases) await release()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
