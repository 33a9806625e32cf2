// What a scanning thread is asked, and what it answers: plain data in both directions.
import type { RedactConfig } from '../config.ts'
import type { Finding } from '../finding.ts'

/** Given once, at the start of a thread. */
export interface ThreadSettings {
  readonly config: RedactConfig
  readonly key: Uint8Array | undefined
}

/** One string of a message. `fields`: the paths of the profile apply to it, as it may be a document of its own. */
export interface Job {
  readonly as: 'text' | 'name' | 'number' | 'encoded'
  readonly text: string
  readonly member: string
  readonly fields: boolean
}

/** `profile`: its index. */
export type Work =
  | { readonly kind: 'suspect'; readonly profile: number; readonly json: Uint8Array }
  | {
      readonly kind: 'mask'
      readonly profile: number
      readonly tenant: string
      readonly jobs: readonly Job[]
      /** What models found, by text. */
      readonly foreseen: ReadonlyMap<string, readonly Finding[]> | undefined
    }

export interface Masked {
  /** Only of jobs that change; `true` for a number that is a finding. */
  readonly changed: ReadonlyMap<number, string | true>
  readonly counts: ReadonlyMap<string, number>
  readonly blocked: string | undefined
}

export type Reply = { readonly kind: 'suspect'; readonly suspect: boolean } | ({ readonly kind: 'mask' } & Masked)
