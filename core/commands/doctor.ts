// `mcpgw doctor`: everything that can be wrong before the first call, each with what to do about it.

import { loadConfig } from '../config/load.ts'
import { type Finding, renderDiagnostics } from '../config/render.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { printable } from '../plugin/index.ts'
import { KnownSecrets } from '../secrets.ts'
import { checkPlugins } from './check-plugins.ts'
import type { Check } from './doctor/check.ts'
import { checkClock, checkDatabase, checkDataDir, checkDisk, checkNode, checkPort, checkRedis, checkStorage } from './doctor/machine.ts'
import { checkServers, type ProbeServer } from './doctor/servers.ts'
import { startServer } from './doctor/start.ts'
import { loadOptions } from './load-for.ts'
import type { VerbIo } from './verb.ts'

/** 0 where nothing failed, 1 otherwise. `probe` looks at one server. */
export async function doctor(io: VerbIo, probe: ProbeServer = startServer): Promise<number> {
  const { checks, findings } = await examine(io, probe)
  const failed = checks.some(({ status }) => status === 'fail')
  if (io.json) io.out(`${JSON.stringify({ ok: !failed, checks, findings }, null, 2)}\n`)
  else {
    for (const { status, name, message, help } of checks) {
      io.out(`${status.padEnd(4)}  ${printable(`${name}: ${message}`)}\n`)
      if (help !== undefined && status !== 'ok') io.out(`      ${printable(help)}\n`)
    }
    if (findings.length > 0) io.err(`\n${renderDiagnostics(findings, io.color.err)}`)
  }
  return failed ? 1 : 0
}

async function examine(io: VerbIo, probe: ProbeServer): Promise<{ checks: Check[]; findings: readonly Finding[] }> {
  const checks: Check[] = [checkNode(process.versions.node), checkClock(Date.now()), await checkStorage()]
  const loaded = await loadConfig(loadOptions(io))
  if (!loaded.ok) {
    const count = loaded.diagnostics.filter(({ severity }) => severity === 'error').length
    checks.push({ name: 'config', status: 'fail', message: `${count} errors`, help: 'mend what is listed below, then run doctor again' })
    return { checks, findings: loaded.diagnostics }
  }
  const { config, warnings, unenforced, file, origins, injected } = loaded
  const found = file ?? 'no file, defaults'
  checks.push({
    name: 'config',
    status: warnings.length > 0 ? 'warn' : 'ok',
    message: warnings.length > 0 ? `${found}, ${warnings.length} warnings` : found,
  })
  for (const one of unenforced) {
    const help = 'load the plugin that does, or take the section out'
    checks.push({ name: 'config', status: 'fail', message: `${one.file}:${one.line}: no loaded plugin enforces ${one.section}`, help })
  }
  const secrets = new KnownSecrets()
  for (const { server, value } of injected) secrets.add(server, value)
  const scrub = (text: string) => secrets.scrubText(text)
  const plugins = await checkPlugins(config.plugins, io.cwd, origins)
  checks.push(aboutPlugins(config, plugins.findings))
  checks.push(...(await checkServers(config.servers, { env: io.env, signal: io.signal, scrub, secrets }, probe)))
  checks.push(...(await checkDatabase(config.store)), ...(await checkRedis(config.store)))
  checks.push(await checkDataDir(config.store.dir), await checkDisk(config.store.dir), await checkPort(config.listen))
  return { checks, findings: [...warnings, ...plugins.findings] }
}

function aboutPlugins({ plugins }: GatewayConfig, findings: readonly Finding[]): Check {
  const names = plugins.map(({ name }) => name).join(', ') || 'none: every call is let through, unrecorded'
  if (findings.length > 0) return { name: 'plugins', status: 'fail', message: findings[0]!.message, help: findings[0]!.help ?? 'see below' }
  return { name: 'plugins', status: plugins.length > 0 ? 'ok' : 'warn', message: names, help: 'a good start: audit, auth, redact' }
}
