// What is counted: the two laws that a limit is made of, and one count against them.
import { Bucket } from './bucket.ts'
import { type Mark, Window } from './window.ts'

/** `id` says what it is, limits and all: of equal ids one is counted, in whatever gateway. */
export type Cell =
  | { readonly kind: 'window'; readonly id: string; readonly most: number; readonly spanMs: number }
  | { readonly kind: 'bucket'; readonly id: string; readonly everyMs: number; readonly depthMs: number }

export type State = Window | Bucket

export function makeState(cell: Cell): State {
  return cell.kind === 'window' ? new Window(cell.most, cell.spanMs) : new Bucket(cell.everyMs, cell.depthMs)
}

export interface Count {
  readonly cell: Cell
  /** Of whom. */
  readonly whose: string
  readonly cost: number
  /** For log and record: the limit that it belongs to. */
  readonly limit: LimitName
}

export interface LimitName {
  readonly text: string
  /** Whom it counts, for the metric. */
  readonly by: string
}

/** Of several counts each must have a place, or none is counted. */
export type Taken = { readonly kind: 'taken'; takeBack(): void | Promise<void> }
/** `index`: of the count that has to wait the longest. */
export type Short = { readonly kind: 'short'; readonly index: number; readonly waitMs: number }

export interface Counts {
  take(counts: readonly Count[]): Taken | Short | Promise<Taken | Short>
}

export type { Mark }
