// A gateway with audit and meter around calls of a test, on stores of its own, and the command that reports.
import type { CommandIo, Principal, Stores } from 'mcpgw/plugin'
import { createFakeClock, createTemporaryStores, type FakeClock, type Harness, harness, runCommand, type Said } from 'mcpgw/testing'
import { afterEach } from 'vitest'
import { openRecorder } from '../../../core/kernel/recorder.ts'
import { createStores } from '../../../core/store/index.ts'
import audit from '../../../plugins/audit/index.ts'
import meter from '../../../plugins/meter/index.ts'

export const NOON: number = Date.UTC(2026, 10, 28, 12)

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

let boots = 0

export interface World {
  readonly stores: Stores
  readonly clock: FakeClock
  /** A gateway that begins to run; several may at once. */
  start(config?: object): Promise<Harness>
  /** What is gathered is written, as it is each second. */
  settle(): Promise<void>
  usage(
    options?: CommandIo['options'],
    more?: { readonly args?: readonly string[]; readonly json?: boolean; readonly config?: object },
  ): Promise<Said>
}

export function createWorld(url?: string, at: number = NOON): World {
  const temporary = createTemporaryStores()
  endings.push(temporary.remove)
  const stores = createStores({ dataDir: temporary.dir, url })
  const clock = createFakeClock(at)
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  return {
    stores,
    clock,
    async start(config = {}) {
      const plugins = [
        { plugin: audit, config: { durability: 'os' } },
        { plugin: meter, config },
      ]
      boots += 1
      const gateway = await harness({ plugins, stores, clock, boot: `boot-${boots}` })
      endings.push(() => gateway.stop())
      return gateway
    },
    async settle() {
      for (let i = 0; i < 3; i++) {
        await clock.advance(1000)
        await new Promise(resolve => setTimeout(resolve, url === undefined ? 0 : 150))
      }
    },
    async usage(options = {}, { args = [], json = false, config = {} } = {}) {
      const host = { log: silent, clock, stores, scrub: (text: string) => text, dir: temporary.dir }
      const opening = openRecorder([{ name: 'audit', plugin: audit, config: { durability: 'os' } }], host, '0.0.0')
      try {
        return await runCommand(meter, ['usage'], {
          options: { period: 'this-month', format: 'table', ...options },
          args,
          json,
          config,
          stores,
          clock,
          recorded: [],
          find: async service => (await opening)?.find(service),
        })
      } finally {
        await (await opening)?.close()
      }
    },
  }
}

export const agent = (id: string, tenant = 'acme'): { readonly principal: Principal } => ({
  principal: { id, tenant, roles: [], claims: {}, via: { method: 'test' } },
})
