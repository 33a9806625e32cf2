// `mcpgw run`: the gateway itself. Everything a person reads goes to stderr; in stdio mode stdout carries MCP and nothing else.
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../clock.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { renderDiagnostics } from '../config/render.ts'
import { renderReport } from '../kernel.ts'
import { createLog } from '../log.ts'
import { nameAddress } from '../store/postgres/address.ts'
import { endpointOf } from './endpoint.ts'
import { createFirstKey } from './first-key.ts'
import { loadOptions } from './load-for.ts'
import { openGateway } from './open-gateway.ts'
import { isObserving } from './reach.ts'
import { recordRefusedStart } from './record-start.ts'
import { startReloading } from './reloading.ts'
import { renderFindings } from './render-findings.ts'
import { loadOrStarter, orStarter } from './starter.ts'
import { openStores } from './stores.ts'
import type { VerbIo } from './verb.ts'

const STOP_MS = 10_000

export async function run(io: VerbIo): Promise<number> {
  const began = performance.now()
  const since = systemClock.now()
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  for (const { section, file, line } of loaded.unenforced) {
    io.err(`error[unenforced]: ${file}:${line}: the section \`${section}\` is enforced by no loaded plugin\n`)
  }
  if (loaded.unenforced.length > 0) {
    io.err('  = help: remove these sections, or load a plugin that enforces them\n')
    const log = createLog({ level: 'warn' })
    const stores = await openStores(loaded.config.store, log)
    const findings = loaded.unenforced.map(({ section }) => ({ code: 'unenforced', message: `no loaded plugin enforces ${section}` }))
    await recordRefusedStart(findings, loaded, { stores, log, cwd: io.cwd, version: io.version })
    return 2
  }
  if (io.options.observe === true && !loaded.config.plugins.some(({ name }) => name === 'policy')) {
    io.err('error[usage]: --observe is for the plugin policy, which is not loaded\n')
    return 2
  }
  const stdio = io.options.stdio === true
  const { config } = loaded
  const log = createLog({ level: config.log })
  const open = await openGateway({
    loaded,
    version: io.version,
    log,
    cwd: io.cwd,
    http: !stdio || io.options.http !== undefined,
    probe: true,
    insecure: io.options.insecureAllowAnonymous === true,
    ...(stdio && { stdio: { input: process.stdin, output: process.stdout } }),
  })
  if ('findings' in open) {
    io.err(renderFindings(open.findings, loaded, io.color.err))
    return 2
  }
  const { kernel, gateway } = open
  // Not before it serves: a key that a failed start has made would be stored, and shown to nobody again.
  const firstKey = stdio ? undefined : await createFirstKey(loaded, io, kernel)
  io.err(`${renderReport(kernel.report)}\n`)
  const listening = kernel.health.view().components.find(({ name, status }) => name === 'listen' && status !== 'ok')
  if (listening?.why !== undefined) io.err(`INSECURE  ${listening.why}\n`)
  if (config.plugins.some(isObserving))
    io.err('OBSERVE  policies deny nothing: what they would deny is logged, and on record as `would: deny`\n')
  if (gateway.port !== undefined) {
    const facts = describe(loaded, gateway.port, firstKey)
    announce(io, facts)
    if (io.json && !stdio) io.out(`${JSON.stringify({ ...facts, open: kernel.report.open }, null, 2)}\n`)
  }
  io.err(`ready in ${Math.round(performance.now() - began)} ms\n`)
  const reloading = startReloading({
    files: loaded.digests.map(({ file }) => resolve(io.cwd, file)),
    since,
    clock: systemClock,
    log,
    async reload(isWanted) {
      const next = await loadConfig(loadOptions(io))
      const findings = await open.take(next.ok && io.options.mcpJson === undefined ? orStarter(next, io) : next)
      if (findings.length > 0) return io.err(renderDiagnostics(findings, io.color.err))
      if (isWanted) await Promise.all([kernel.reload(), gateway.reload()])
    },
  })
  process.on('SIGHUP', reloading.ask)
  await new Promise<void>(done => {
    if (io.signal.aborted) done()
    io.signal.addEventListener('abort', () => done(), { once: true })
    void gateway.stdio?.done.then(done)
  })
  process.off('SIGHUP', reloading.ask)
  reloading.stop()
  io.err('stopping\n')
  await open.stop(STOP_MS)
  return 0
}

interface Facts {
  readonly endpoint: string
  readonly key?: string
  readonly audit?: string
  /** Files and folders of policies. */
  readonly policies?: readonly string[]
  /** What to paste into a client. */
  readonly client: object
}

function describe({ config }: Loaded, port: number, key: string | undefined): Facts {
  const endpoint = endpointOf(config.listen, port) ?? ''
  const find = (name: string) => config.plugins.find(plugin => plugin.name === name)
  const audit = find('audit')
  const headers = find('auth') ? { headers: { Authorization: `Bearer ${key ?? 'YOUR_KEY'}` } } : {}
  return {
    endpoint,
    ...(key !== undefined && { key }),
    ...(audit && {
      audit: config.store.url === undefined ? resolve(config.store.dir, auditPath(audit.config)) : nameAddress(config.store.url),
    }),
    ...(config.policies.length > 0 && { policies: config.policies }),
    client: { mcpServers: { mcpgw: { type: 'http', url: endpoint, ...headers } } },
  }
}

function auditPath(config: unknown): string {
  const path = typeof config === 'object' && config !== null && 'path' in config ? config.path : undefined
  return typeof path === 'string' ? path : 'audit.db'
}

function announce(io: VerbIo, { endpoint, key, audit, policies = [], client }: Facts): void {
  io.err(`endpoint  ${endpoint}\n`)
  if (key !== undefined) io.err(showKey(key))
  if (audit !== undefined) io.err(`audit     ${audit}\n`)
  for (const file of policies) io.err(`policy    ${file}\n`)
  io.err(`client    ${JSON.stringify(client)}\n`)
}

function showKey(key: string): string {
  return `key       ${key}   (shown once)\n`
}
