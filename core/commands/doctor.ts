// `mcpgw doctor`: everything that can be wrong before the first call, each with what to do about it.

import { type Loaded, loadConfig } from '../config/load.ts'
import { type Finding, renderDiagnostics } from '../config/render.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { rehearse } from '../kernel/rehearse.ts'
import { printableLines } from '../plugin/print.ts'
import { KnownSecrets } from '../secrets.ts'
import { checkPlugins, toFinding } from './check-plugins.ts'
import type { Check } from './doctor/check.ts'
import { checkClock, checkDatabase, checkDataDir, checkDisk, checkNode, checkPort, checkRedis, checkStorage } from './doctor/machine.ts'
import { checkServers, type ProbeServer } from './doctor/servers.ts'
import { startServer } from './doctor/start.ts'
import { checkTls } from './doctor/tls.ts'
import { loadOptions } from './load-for.ts'
import { factsOf } from './reach.ts'
import type { VerbIo } from './verb.ts'

/** 0 where nothing failed, 1 otherwise. `probe` looks at one server. */
export async function doctor(io: VerbIo, probe: ProbeServer = startServer): Promise<number> {
  const { checks, findings } = await examine(io, probe)
  const failed = checks.some(({ status }) => status === 'fail')
  if (io.json) io.out(`${JSON.stringify({ ok: !failed, checks, findings }, null, 2)}\n`)
  else {
    for (const { status, name, message, help } of checks) {
      io.out(`${status.padEnd(4)}  ${printableLines(`${name}: ${message}`, '      ')}\n`)
      if (help !== undefined && status !== 'ok') io.out(`      ${printableLines(help, '      ')}\n`)
    }
    if (findings.length > 0) io.err(`\n${renderDiagnostics(findings, io.color.err)}`)
  }
  return failed ? 1 : 0
}

interface Examined {
  readonly checks: Check[]
  readonly findings: readonly Finding[]
}

async function examine(io: VerbIo, probe: ProbeServer): Promise<Examined> {
  const checks: Check[] = [checkNode(process.versions.node), checkClock(Date.now()), await checkStorage()]
  const loaded = await loadConfig(loadOptions(io))
  if (!loaded.ok) {
    const count = loaded.diagnostics.filter(({ severity }) => severity === 'error').length
    checks.push({ name: 'config', status: 'fail', message: `${count} errors`, help: 'mend what is listed below, then run doctor again' })
    return { checks, findings: loaded.diagnostics }
  }
  const { config, warnings, unenforced, file, injected } = loaded
  const where = file ?? 'no file, defaults'
  checks.push({
    name: 'config',
    status: warnings.length > 0 ? 'warn' : 'ok',
    message: warnings.length > 0 ? `${where}, ${warnings.length} warnings` : where,
  })
  for (const one of unenforced) {
    const help = 'load the plugin that does, or take the section out'
    checks.push({ name: 'config', status: 'fail', message: `${one.file}:${one.line}: no loaded plugin enforces ${one.section}`, help })
  }
  const secrets = new KnownSecrets()
  for (const { server, value } of injected) secrets.add(server, value)
  const scrub = (text: string) => secrets.scrubText(text)
  const found = await tryPlugins(io, loaded, scrub)
  checks.push(...found.checks)
  checks.push(...(await checkServers(config.servers, { env: io.env, signal: io.signal, scrub, secrets }, probe)))
  checks.push(...(await checkDatabase(config.store)), ...(await checkRedis(config.store)))
  checks.push(await checkDataDir(config.store.dir), await checkDisk(config.store.dir), await checkPort(config.listen))
  checks.push(...(await checkTls(config.listen, Date.now())))
  return { checks, findings: [...warnings, ...found.findings] }
}

/** As the start sets them up, where they load and stand in an order that holds. */
async function tryPlugins(io: VerbIo, { config, origins }: Loaded, scrub: (text: string) => string): Promise<Examined> {
  const { findings: refused } = await checkPlugins(config.plugins, io.cwd, origins)
  if (refused.length > 0) return { checks: [aboutPlugins(config, refused)], findings: refused }
  const { limits, store, listen } = config
  const tried = await rehearse(config.plugins, {
    limits,
    store,
    host: listen.host,
    gateway: factsOf(config),
    version: io.version,
    cwd: io.cwd,
    scrub,
  })
  const findings = tried.findings.map(one => toFinding(one, config.plugins, origins))
  const checks = [aboutPlugins(config, findings)]
  if (tried.skipped.length > 0) {
    const message = `not set up for this check, as they need the database: ${tried.skipped.join(', ')}`
    checks.push({ name: 'plugins', status: 'ok', message })
  }
  if (tried.listen !== undefined)
    checks.push({
      name: 'listen',
      status: 'fail',
      message: tried.listen.message,
      help: `${tried.listen.help}; or --insecure-allow-anonymous`,
    })
  return { checks, findings }
}

function aboutPlugins({ plugins }: GatewayConfig, findings: readonly Finding[]): Check {
  const names = plugins.map(({ name }) => name).join(', ') || 'none: every call is let through, unrecorded'
  if (findings.length > 0) return { name: 'plugins', status: 'fail', message: findings[0]!.message, help: findings[0]!.help ?? 'see below' }
  return { name: 'plugins', status: plugins.length > 0 ? 'ok' : 'warn', message: names, help: 'a good start: audit, auth, redact' }
}
