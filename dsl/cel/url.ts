// url.host(): the host that a client would really connect to.
import { string } from './cel-type.ts'
import { type Overload, unary } from './overload.ts'
import type { Run } from './run.ts'

const longest = 8_192

function hostOf(text: string, run: Run): string | undefined {
  // A URL parser skips these; another reader of the same text may not.
  if (text.length > longest || /[\s\p{Cc}\\]/u.test(text)) return undefined
  // Names of other scripts are brought to ASCII in quadratic time.
  const authority = text.replace(/^[^:]*:\/*/, '').search(/[/?#]|$/)
  if (!run.charge((authority * authority) >> 7)) return undefined
  try {
    const { hostname } = new URL(text)
    return hostname === '' ? undefined : hostname.replace(/\.$/, '')
  } catch {
    return undefined
  }
}

export const urlFunctions: readonly Overload[] = [
  unary('function', 'url.host', 'string', string, (a, run) => (run.charge(150 + (a.length >> 2)) ? hostOf(a, run) : undefined)),
]
