// What `audit report --json` prints: members keep their names and meaning, others may come.
import type { Completeness, Newest } from './report-completeness.ts'
import type { Course } from './report-course.ts'
import type { Population } from './report-population.ts'

/** Times: ISO 8601. */
export interface Report {
  readonly report: 1
  /** Of its store. */
  readonly log: string
  readonly madeAt: string
  /** `to` is behind the end. */
  readonly period: { readonly from: string; readonly to: string }
  /** Null: of all. */
  readonly tenant: string | null
  readonly completeness: Completeness
  readonly checkpoint: Newest | null
  /** Of the tenant, where one is named; what follows on it is of the whole log. */
  readonly population: Population
  /** Of the tenant, where one is named. */
  readonly sample: { readonly seed: string; readonly of: number; readonly records: readonly Sampled[] }
  readonly course: Course
}
export interface Sampled {
  /** For `audit prove`. */
  readonly id: string
  readonly at: string
  readonly type: string
  readonly call: string | null
  readonly status: string | null
  readonly consumer: string | null
  readonly server: string | null
  readonly target: string | null
  readonly decision: string | null
}
