// A running gateway takes another config: checked as for a start, then its servers are applied at once; of one with any error nothing is.
import type { Loaded, LoadResult } from '../config/load.ts'
import type { Finding } from '../config/render.ts'
import { findRestarts } from '../config/restarts.ts'
import type { Finding as KernelFinding } from '../finding.ts'
import type { Gateway } from '../gateway.ts'
import { findMisfits, type Kernel } from '../kernel.ts'
import type { Log, Operator, Recording } from '../plugin/index.ts'
import { compareFleets } from '../registry/change.ts'
import type { RegisteredServers } from '../registry/registered.ts'
import type { KnownSecrets } from '../secrets.ts'
import { toFinding } from './check-plugins.ts'
import { learnSecrets } from './learn-secrets.ts'
import { factsOf, findUnreachable } from './reach.ts'
import { filesOf, refusedStart } from './record-start.ts'

export interface TakeParts {
  readonly loaded: Loaded
  readonly kernel: Pick<Kernel, 'plugins'>
  readonly gateway: Pick<Gateway, 'change'>
  /** Where servers may be registered: it changes the gateway then. */
  readonly registered: Pick<RegisteredServers, 'all' | 'refuse' | 'rebase'> | undefined
  readonly secrets: KnownSecrets
  readonly recording: Recording | undefined
  readonly operator: Operator
  readonly log: Log
}

/** Why the config was not taken; nothing where it is in force. One at a time. */
export type TakeConfig = (next: LoadResult) => Promise<readonly Finding[]>

export function createTakeConfig({ loaded, kernel, gateway, registered, secrets, recording, operator: actor, log }: TakeParts): TakeConfig {
  let current = loaded

  function check(next: Loaded): readonly Finding[] {
    const restarts = findRestarts(current.config, next.config).map((path): KernelFinding => {
      const message = `needs a restart: \`${path[0]}\``
      return { code: 'needs-restart', message, help: 'restart the gateway, or take the change back', path }
    })
    const others = [findUnreachable(next.config, kernel.plugins), registered?.refuse(next.config.servers)]
    // As a start sees them: what a plugin is told may be about one that was registered.
    const servers = [...next.config.servers, ...(registered?.all ?? []).flatMap(({ server }) => server ?? [])]
    const misfits = findMisfits(kernel.plugins, factsOf({ ...next.config, servers }))
    const found = [...restarts, ...misfits, ...others.filter(one => one !== undefined)]
    const unenforced = next.unenforced.map(
      ({ section, file, line }): Finding => ({
        code: 'unenforced',
        severity: 'error',
        message: `no loaded plugin enforces ${section}`,
        file,
        line,
        column: 1,
      }),
    )
    return [...unenforced, ...found.map(one => toFinding(one, next.config.plugins, next.origins))]
  }

  async function refuse(findings: readonly Finding[], digests: Loaded['digests']): Promise<readonly Finding[]> {
    const [first] = findings
    log.error('the config was not taken; the one in force stays', { findings: findings.length, first: first?.message })
    await recording
      ?.event({ actor, ...refusedStart(findings, { digests }) })
      .catch(error => log.error('an event could not be recorded', { type: 'config.refused', error: String(error) }))
    return findings
  }

  return async next => {
    if (!next.ok) return refuse(next.diagnostics, [])
    const findings = check(next)
    if (findings.length > 0) return refuse(findings, next.digests)
    const isNew = JSON.stringify(next.digests) !== JSON.stringify(current.digests)
    const change = compareFleets(current.config.servers, next.config.servers)
    if (change === undefined && !isNew) {
      await registered?.rebase(next.config.servers)
      return []
    }
    const changes = change?.ids ?? {}
    try {
      await recording?.event({ type: 'config.reloaded', actor, detail: { files: filesOf(next), ...changes } })
    } catch (error) {
      const finding: KernelFinding = { code: 'not-recorded', message: `the change cannot be recorded: ${String(error)}` }
      return refuse([toFinding(finding, next.config.plugins, next.origins)], next.digests)
    }
    learnSecrets(secrets, next.injected, log)
    if (registered === undefined) gateway.change(next.config.servers)
    else await registered.rebase(next.config.servers)
    current = next
    log.info('the config was taken again', changes)
    return []
  }
}
