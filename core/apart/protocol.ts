// What the gateway and a process that works apart say to each other. The gateway believes nothing else.
import type { StorePlace } from '../store/index.ts'

export type Order =
  | {
      readonly kind: 'work'
      /** URL of the module. */
      readonly module: string
      readonly input: unknown
      readonly place: StorePlace
      /** Wall clock of the gateway, ms since 1970. */
      readonly now: number
    }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type Report =
  | { readonly kind: 'ask'; readonly id: number; readonly question: unknown }
  | { readonly kind: 'log'; readonly level: (typeof LEVELS)[number]; readonly message: string; readonly fields: Record<string, unknown> }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly message: string }

/** Undefined where it is none. */
export function readReport(value: unknown): Report | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  const report = value as Report
  switch (report.kind) {
    case 'ask':
      return Number.isSafeInteger(report.id) ? report : undefined
    case 'log': {
      const isWhole = LEVELS.includes(report.level) && typeof report.message === 'string'
      return isWhole && typeof report.fields === 'object' && report.fields !== null ? report : undefined
    }
    case 'done':
      return report
    case 'failed':
      return typeof report.message === 'string' ? report : undefined
    default:
      return undefined
  }
}
