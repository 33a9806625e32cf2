// Puts the plugin together: the bundle is in force before anything is served, and each one that follows takes its place at once.
import { type AdminEvent, createConditions, DecisionBasis, type Hooks, type PluginContext, Recording } from 'mcpgw/plugin'
import { normaliseUri } from 'mcpgw/policy'
import { compileBundle, isRefused, type Refused } from './bundle.ts'
import { createPins } from './catalog/pins.ts'
import { createDriftReport } from './catalog/report-drift.ts'
import type { PolicyConfig } from './config.ts'
import { createEnforcement, type InForce } from './enforcement.ts'
import { createKeeper, type Keeper } from './history.ts'
import { openPastStore } from './history-store.ts'
import { createLoading, type Loaded } from './loading.ts'
import { policyOperations } from './operations.ts'
import { createRecorder } from './record.ts'
import { createReloading } from './reload.ts'

const OBSERVES = 'mode is observe: what policies deny is let through'
const EMPTY = 'there are no policies: everything is denied'
const TOLD = 20

/** `compile`: another way from texts to a bundle, for tests. */
export async function setUp(ctx: PluginContext<PolicyConfig>, compile: typeof compileBundle = compileBundle): Promise<Hooks> {
  const { config, clock, log } = ctx
  const tell = createConditions(state => ctx.health(state))
  const loading = createLoading(ctx, compile)
  const drift = createDriftReport(ctx, why => tell('catalog', why))
  const recorder = createRecorder(ctx, config.mode === 'observe')
  const reloads = ctx.metrics.counter('reloads_total', 'Bundles that were read again, by what became of them.', ['result'])
  let keeper: Keeper | undefined
  let loaded: Loaded
  let force: InForce
  let refusal: readonly string[] = []

  /** What may fail first, then everything at once. */
  async function apply(next: Loaded): Promise<void> {
    const { bundle, lock, catalogDigest } = next
    if (bundle.watched.length > 0) keeper ??= await openKeeper()
    keeper?.watch(bundle.watched, bundle.withinMs)
    if (lock !== loaded?.lock) drift.reset()
    const pins = lock === undefined ? undefined : createPins(lock, { normaliseUri, onChange: drift.onChange })
    loaded = next
    force = { bundle, pins, catalog: catalogDigest, keeper: bundle.watched.length > 0 ? keeper : undefined }
    tell('empty', bundle.policy.rules.length === 0 ? EMPTY : undefined)
    refusal = []
    tell('reload', undefined)
  }

  async function openKeeper(): Promise<Keeper> {
    const onHealth = (failing: string | undefined): void => {
      tell('history', failing, 'failing')
      if (failing === undefined) log.info('what callers have done is stored again')
      else log.error('what callers have done cannot be stored; `after` counts as an error', { why: failing })
    }
    return createKeeper({ clock, store: await openPastStore(ctx.stores), onHealth })
  }

  function record(event: AdminEvent): Promise<void> {
    const done = ctx.find(Recording)?.event(event) ?? Promise.resolve()
    return done.catch(error => log.error('an event could not be recorded', { type: event.type, error: String(error) }))
  }

  const describe = ({ bundle, catalogDigest }: Loaded): AdminEvent['detail'] => ({
    bundle: bundle.digest,
    files: bundle.files,
    rules: bundle.policy.rules.length,
    mode: config.mode,
    ...(catalogDigest !== undefined && { catalog: catalogDigest }),
  })

  function refused({ findings, digest }: Refused): void {
    reloads.inc({ result: 'refused' })
    refusal = findings.slice(0, TOLD)
    const more = findings.length === 1 ? '' : ` (and ${findings.length - 1} more)`
    tell('reload', `the policies on disk are refused, the last good ones stay in force: ${findings[0]}${more}`)
    for (const finding of findings.slice(0, TOLD)) log.error('policies refused at reload', { finding })
    const told = findings.slice(0, TOLD)
    void record({
      type: 'policy.reload-refused',
      success: false,
      detail: { bundle: digest, inForce: loaded.bundle.digest, findings: told },
    })
  }

  const reloading = createReloading({
    clock,
    loading,
    inForce: () => loaded,
    async apply(next) {
      const before = loaded.bundle.digest
      await apply(next)
      reloads.inc({ result: 'loaded' })
      log.info('policies reloaded', { bundle: next.bundle.digest, rules: next.bundle.policy.rules.length })
      void record({ type: 'policy.reload', detail: { ...describe(next), before } })
    },
    refused,
    settled() {
      refusal = []
      tell('reload', undefined)
    },
  })

  const stamp = await loading.stamp()
  const first = await loading.load()
  if (isRefused(first)) throw new Error(`the policies are refused:\n${first.findings.join('\n')}`)
  await apply(first)
  if (config.mode === 'observe') {
    tell('mode', OBSERVES)
    log.warn(OBSERVES)
  }
  // What rules say, what the lock says of tools, and whether either counts.
  ctx.provide(DecisionBasis, { digest: () => `${loaded.bundle.digest} ${loaded.catalogDigest ?? ''} ${config.mode} ${config.catalog}` })
  const operations = policyOperations(
    ctx,
    () => loaded,
    () => refusal,
  )
  for (const operation of operations.list) ctx.offer(operation)
  ctx.onStop(async () => {
    await operations.close()
    reloading.stop()
    await keeper?.close()
  })

  return {
    ...createEnforcement(ctx, () => force, recorder),
    async start() {
      await record({ type: 'policy.load', detail: describe(loaded) })
      reloading.start(stamp)
    },
    reload: () => reloading.reload(),
  }
}
