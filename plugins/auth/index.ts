// auth: tells who makes each request (API keys, tokens and client certificates over HTTP, the configured principal over stdio), and nothing more.
import { Directory, definePlugin, identify, type Plugin, pass, Recording } from 'mcpgw/plugin'
import { goOn } from './at-once.ts'
import { authenticate } from './authenticate.ts'
import { createCertificateMethod } from './certificate-method.ts'
import { keyCommands } from './commands.ts'
import { createConditions } from './conditions.ts'
import { type AuthConfig, configSchema } from './config.ts'
import { readCredential } from './credential.ts'
import { createGuard } from './failures.ts'
import { peopleOf } from './gateway-config.ts'
import { openGateways } from './gateways.ts'
import { openTokens } from './jwt.ts'
import { openKeysMethod } from './keys-method.ts'
import { tables } from './migrations.ts'
import { createOutbox } from './outbox.ts'
import { makePrincipal } from './ring.ts'
import { findSameIds } from './same-ids.ts'
import { endTokens } from './token-ends.ts'
import { openVault } from './vault.ts'
import { refuseWithoutEffect } from './without-effect.ts'

// A revoked key is refused within twice this time, whatever process revoked it.
const refreshMs = 500

const auth: Plugin<AuthConfig> = definePlugin({
  name: 'auth',
  apiVersion: 1,
  config: configSchema,
  capabilities: ['authenticates'],
  provides: [Directory],
  commands: keyCommands,
  tables,
  personal: async () => (await import('./personal.ts')).personal,
  fits: refuseWithoutEffect,
  async setup(ctx) {
    const { config, clock } = ctx
    const vault = await openVault(ctx.stores, config)
    const outbox = createOutbox(vault.store, () => ctx.find(Recording), ctx.log, clock)
    let stopped = false
    let cancel = (): void => {}
    let close = async (): Promise<void> => {}
    ctx.onStop(async () => {
      stopped = true
      cancel()
      await close()
      await outbox.idle()
      await vault.store.close()
    })

    const condition = createConditions(ctx.health)
    const keys = await openKeysMethod(vault, { ...ctx, health: condition() })
    close = () => keys.close()
    const tokens = await openTokens(ctx, condition)
    const methods = tokens === undefined ? [keys] : [tokens.method, keys]
    const resource = tokens?.resource
    if (resource !== undefined) ctx.publish('oauth-protected-resource', resource.metadata)
    const gateways = await openGateways({ ...ctx, health: condition() }, config.gateways)
    const { id, name, roles, tenant, claims } = config.stdio
    const local = Object.freeze(identify(makePrincipal(id, name, roles, tenant, { method: 'stdio' }, claims)))
    const certificates = createCertificateMethod(config.certificates)
    const named = [local.principal, ...config.certificates.flatMap(({ principal }) => principal ?? [])]
    // Whom the issuers know is not known here.
    ctx.provide(Directory, {
      known: () => (tokens === undefined ? keys.known([...named, ...config.gateways.flatMap(peopleOf)], clock.now()) : undefined),
      hasKey: id => keys.hasKey(id),
    })
    const guard = createGuard(config.failures, () => clock.mono())
    const plain = config.apiKeys.filter(key => key.enabled).map(key => key.id)
    if (plain.length > 0) {
      ctx.log.warn('API keys stand in the config as plain text; make new ones with `mcpgw keys create` and take these out', { keys: plain })
    }

    if (!ctx.dischargers.includes('rate') && keys.principals(clock.now()).some(({ rate }) => rate !== undefined))
      ctx.log.warn('keys have a rate that no plugin holds them to: they are refused; load the plugin ratelimit')
    for (const { id: taken } of keys.principals(clock.now())) {
      const owner = gateways?.ownerOf(taken)
      if (owner !== undefined)
        ctx.log.warn('a key has an id of callers of another gateway: it is refused', { principal: taken, gateway: owner })
    }
    for (const same of findSameIds(config.jwt, [...keys.principals(clock.now()), ...named.filter(({ id }) => id !== 'local')]))
      ctx.log.warn(same)

    /** Nothing of it waits for the next look. What is written while others are recorded goes in the next round. */
    async function settle(): Promise<void> {
      await keys.refresh()
      await outbox.forward()
      if (outbox.isBehind) await outbox.forward()
    }
    const { keyOperations } = await import('./operations.ts')
    for (const operation of keyOperations({ vault, config, clock, log: ctx.log, settle })) ctx.offer(operation)

    const look = (): void => {
      if (stopped) return
      void goOn(keys.refresh(), changed => {
        if (!stopped && (changed || outbox.isBehind)) void outbox.forward()
      })
      const ended = tokens?.method.ended(clock.now())
      if (ended !== undefined) endTokens(ctx, ended)
      cancel = clock.after(refreshMs, look)
    }
    return {
      async start() {
        await outbox.forward()
        tokens?.start()
        look()
      },
      onRequest: exchange =>
        guard(
          exchange,
          () => authenticate(exchange, methods, local, clock.now(), tokens?.challenge, certificates, gateways),
          () => tokens?.method.mustVerify(readCredential(exchange.peer)) === true,
        ),
      ...((tokens !== undefined || gateways !== undefined) && {
        async reload() {
          await Promise.all([tokens?.reload(), gateways?.reload()])
        },
      }),
      ...(resource?.hasScopes && {
        // At the seal, so that the record has who asked, and nobody is sent for scopes to what is not theirs anyway.
        onSealed({ direction, principal, resource: target, peer }) {
          const granted = direction === 'to-server' && principal !== undefined ? tokens?.method.scopesOf(principal) : undefined
          return (granted && resource.check(target, granted, peer.path)) ?? pass
        },
      }),
    }
  },
})
export default auth
