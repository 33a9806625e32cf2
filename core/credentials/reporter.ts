// What becomes of the credentials of a server, for operators: health, metrics, log and record. None of it holds a secret.
import type { Health } from '../health.ts'
import type { MetricsRegistry } from '../metrics.ts'
import type { AdminEvent, JsonValue, Log } from '../plugin/index.ts'
import type { Token } from './token-answer.ts'

export interface Reporter {
  obtained(token: Token, isRenewal: boolean, detail?: Readonly<Record<string, JsonValue>>): void
  failed(why: string, detail?: Readonly<Record<string, JsonValue>>): void
}

export interface ReporterOptions {
  readonly log: Log
  onEvent?(event: AdminEvent): void
  readonly health?: Pick<Health, 'component'> | undefined
  readonly metrics?: Pick<MetricsRegistry, 'core'> | undefined
}

/** `mode`: the word of the config. */
export function createReporter(server: string, mode: string, { log, onEvent, health, metrics }: ReporterOptions): Reporter {
  const component = health?.component(`credential/${server}`)
  const counted = metrics?.core.counter('server_tokens_total', 'Tokens asked for, by what came of it: obtained, renewed, failed.', [
    'server',
    'mode',
    'outcome',
  ])
  return {
    obtained({ lifeMs }, isRenewal, detail = {}) {
      const outcome = isRenewal ? 'renewed' : 'obtained'
      component?.set(undefined)
      counted?.inc({ server, mode, outcome })
      log.info('credential for server', { server, mode, outcome, lifeS: Math.round(lifeMs / 1000) })
      onEvent?.({ type: `credential.${outcome}`, detail: { server, mode, lifeS: Math.round(lifeMs / 1000), ...detail } })
    },
    failed(why, detail = {}) {
      component?.set({ status: 'degraded', why })
      counted?.inc({ server, mode, outcome: 'failed' })
      log.warn('no credential for server', { server, mode, why })
      onEvent?.({ type: 'credential.failed', success: false, detail: { server, mode, why, ...detail } })
    },
  }
}
