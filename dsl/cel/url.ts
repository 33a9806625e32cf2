// url.host(): the host that a client would really connect to.
import { string } from './cel-type.ts'
import { type Overload, unary } from './overload.ts'

function hostOf(text: string): string | undefined {
  // A URL parser skips these; another reader of the same text may not.
  if (text.length > 8_192 || /[\s\p{Cc}\\]/u.test(text)) return undefined
  try {
    const { hostname } = new URL(text)
    return hostname === '' ? undefined : hostname.replace(/\.$/, '')
  } catch {
    return undefined
  }
}

export const urlFunctions: readonly Overload[] = [
  unary('function', 'url.host', 'string', string, (a, run) => (run.charge(100 + (a.length >> 4)) ? hostOf(a) : undefined)),
]
