// The obligation `limit(20, per: 1h, by: principal)`, read once for each of its texts.
import { type Obligation, readDuration } from 'mcpgw/plugin'
import type { Cell } from './cell.ts'
import { spans } from './config.ts'
import type { Per } from './whose.ts'

export type Counted = Extract<Per, 'principal' | 'tenant' | 'server' | 'tool' | 'all'>
const counted: readonly Counted[] = ['principal', 'tenant', 'server', 'tool', 'all']

export interface Limit {
  readonly most: number
  readonly perMs: number
  readonly by: Counted
  /** Equal limits are one. */
  readonly cell: Cell
}

/** Undefined where it is no limit. */
export function readLimit({ args }: Obligation): Limit | undefined {
  let most: number | undefined
  let perMs: number | undefined
  let by: Counted | undefined
  for (const { name, value } of args) {
    if (name === undefined && most === undefined && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) most = value
    else if (name === 'per' && perMs === undefined && typeof value === 'string') perMs = readDuration(value, spans)
    else if (name === 'by' && by === undefined && counted.some(one => one === value)) by = value as Counted
    else return undefined
  }
  if (most === undefined || perMs === undefined) return undefined
  const whose = by ?? 'principal'
  return { most, perMs, by: whose, cell: { kind: 'window', id: `policy/${most}/${perMs}/${whose}`, most, spanMs: perMs } }
}
