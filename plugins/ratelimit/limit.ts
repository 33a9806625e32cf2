// The obligation `limit(20, per: 1h, by: principal)`, read once for each of its texts.
import { type Exchange, nameOf, type Obligation } from 'mcpgw/plugin'

export const counted = ['principal', 'tenant', 'server', 'tool', 'all'] as const
export type Counted = (typeof counted)[number]

export interface Limit {
  readonly most: number
  readonly perMs: number
  readonly by: Counted
  /** Equal texts are one limit. */
  readonly text: string
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const longest = Number.MAX_SAFE_INTEGER

/** Undefined where it is no limit. */
export function readLimit({ args }: Obligation): Limit | undefined {
  let most: number | undefined
  let perMs: number | undefined
  let by: Counted | undefined
  for (const { name, value } of args) {
    if (name === undefined && most === undefined && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) most = value
    else if (name === 'per' && perMs === undefined && typeof value === 'string') perMs = readDuration(value)
    else if (name === 'by' && by === undefined && counted.some(one => one === value)) by = value as Counted
    else return undefined
  }
  if (most === undefined || perMs === undefined) return undefined
  const whose = by ?? 'principal'
  return { most, perMs, by: whose, text: `${most}/${perMs}/${whose}` }
}

function readDuration(text: string): number | undefined {
  if (!/^(?:\d+[smhd])+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhd])/g)) sum += Number(amount) * units[unit!]!
  return sum > 0 && sum <= longest ? sum : undefined
}

/** Whose counter it is. A principal is one of his tenant. */
export function keyOf(by: Counted, { principal, peer, resource }: Exchange): string {
  switch (by) {
    case 'principal':
      return principal === undefined ? `ip\0${peer.ip ?? ''}` : `${principal.tenant}\0${principal.id}`
    case 'tenant':
      return principal?.tenant ?? ''
    case 'server':
      return 'server' in resource ? resource.server : ''
    case 'tool':
      return 'server' in resource ? `${resource.kind}\0${resource.server}\0${nameOf(resource)}` : ''
    case 'all':
      return ''
  }
}
