// auth: tells who makes each request (API keys over HTTP, the configured principal over stdio), and nothing more.
import { Directory, definePlugin, identify, type Plugin, Recording } from 'mcpgw/plugin'
import { authenticate } from './authenticate.ts'
import { keyCommands } from './commands.ts'
import { type AuthConfig, configSchema } from './config.ts'
import { createKeysMethod } from './keys-method.ts'
import { createOutbox } from './outbox.ts'
import { makePrincipal } from './ring.ts'
import { openVault } from './vault.ts'

// A revoked key is refused within twice this time, whatever process revoked it.
const refreshMs = 500

const auth: Plugin<AuthConfig> = definePlugin({
  name: 'auth',
  apiVersion: 1,
  config: configSchema,
  capabilities: ['authenticates'],
  provides: [Directory],
  commands: keyCommands,
  personal: async () => (await import('./personal.ts')).personal,
  setup(ctx) {
    const { config, clock } = ctx
    const vault = openVault(ctx.stores, config)
    const outbox = createOutbox(vault.store, () => ctx.find(Recording), ctx.log, clock)
    let stopped = false
    let cancel = (): void => {}
    ctx.onStop(async () => {
      stopped = true
      cancel()
      await outbox.idle()
      vault.store.close()
    })

    const keys = createKeysMethod(vault, ctx)
    const { id, name, roles, tenant, claims } = config.stdio
    const local = Object.freeze(identify(makePrincipal(id, name, roles, tenant, { method: 'stdio' }, claims)))
    ctx.provide(Directory, { known: () => keys.known([local.principal], clock.now()) })
    const plain = config.apiKeys.filter(key => key.enabled).map(key => key.id)
    if (plain.length > 0) {
      ctx.log.warn('API keys stand in the config as plain text; make new ones with `mcpgw keys create` and take these out', { keys: plain })
    }

    const look = (): void => {
      if (stopped) return
      if (keys.refresh() || outbox.isBehind) void outbox.forward()
      cancel = clock.after(refreshMs, look)
    }
    return {
      async start() {
        await outbox.forward()
        look()
      },
      onRequest: exchange => authenticate(exchange, [keys], local, clock.now()),
    }
  },
})
export default auth
