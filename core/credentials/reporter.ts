// What becomes of the credentials of a server, for operators: health, metrics, log and record. None of it holds a secret.
import type { Health } from '../health.ts'
import type { MetricsRegistry } from '../metrics.ts'
import { readOwner } from '../owner.ts'
import type { AdminEvent, Log } from '../plugin/index.ts'
import type { Token } from './token-answer.ts'
import type { TokenFailure } from './token-keeper.ts'

export interface Reporter {
  /** `about`: whose it is, where it is not the gateway's own. */
  obtained(token: Token, isRenewal: boolean, about?: AdminEvent['about']): void
  /** A user has given the gateway a token. */
  authorized(about: AdminEvent['about']): void
  /** What had failed is well again: the server takes what it is shown. */
  taken(): void
  failed(why: string, of?: { readonly about: AdminEvent['about']; readonly error: unknown }): void
}

export interface ReporterOptions {
  readonly log: Log
  onEvent?(event: AdminEvent): void
  readonly health?: Pick<Health, 'component'> | undefined
  readonly metrics?: Pick<MetricsRegistry, 'core'> | undefined
}

/** Codes of RFC 6749 and 8693 by which an endpoint refuses what one caller brings; any other failure is the endpoint's or ours. */
const OF_ONE: ReadonlySet<string | undefined> = new Set(['invalid_grant', 'invalid_request', 'access_denied', 'interaction_required'])

/** Whom an event is about. */
export function aboutOwner(owner: string): NonNullable<AdminEvent['about']> {
  const { tenant, id } = readOwner(owner)
  return { tenant, id, detail: { principal: id, tenant } }
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
    obtained({ lifeMs }, isRenewal, about) {
      const outcome = isRenewal ? 'renewed' : 'obtained'
      const lifeS = Math.round(lifeMs / 1000)
      component?.set(undefined)
      counted?.inc({ server, mode, outcome })
      log.info('credential for server', { server, mode, outcome, lifeS })
      onEvent?.({ type: `credential.${outcome}`, detail: { server, mode, lifeS }, ...(about && { about }) })
    },
    authorized(about) {
      log.info('a user has authorised the gateway for server', { server })
      onEvent?.({ type: 'credential.authorized', detail: { server, mode }, ...(about && { about }) })
    },
    taken() {
      component?.set(undefined)
      log.info('the server takes what it is shown again', { server, mode })
    },
    failed(why, of) {
      if (!OF_ONE.has((of?.error as Partial<TokenFailure> | undefined)?.error)) component?.set({ status: 'degraded', why })
      counted?.inc({ server, mode, outcome: 'failed' })
      log.warn('no credential for server', { server, mode, why })
      onEvent?.({ type: 'credential.failed', success: false, detail: { server, mode, why }, ...(of?.about && { about: of.about }) })
    },
  }
}
