// Whose token is at hand: that of each request that is being served, from the moment its caller is known to its end, and never longer.
import { createHash } from 'node:crypto'
import { LiveExchange } from '../exchange.ts'
import type { Exchange } from '../plugin/index.ts'
import { traceOf } from '../telemetry/trace-of.ts'
import { type Behalf, NOTHING_SHOWN } from '../upstream/behalf.ts'
import { voiceOf } from './voice.ts'

export type Served = Pick<Exchange, 'principal' | 'peer'>

/** For the relay. */
export interface Callers {
  /** The caller is known; once or more for each request. */
  begin(x: Served): void
  /** Of `NOTHING_SHOWN` no token can be had: the caller showed none, or one that is nobody's but ours to read. */
  of(x: Served): Behalf
  end(x: Served): void
}

/** For those who act on behalf of callers. */
export interface Present {
  /** One that `owner` shows now; with `rights`, one of these. */
  find(owner: string, rights?: string): Behalf | undefined
}

/** `tells`: whether there are gateways that are told who calls. */
export function createCallers(
  ownerOf: (principal: Exchange['principal']) => string,
  tells: () => boolean = () => false,
): Callers & Present {
  const byRequest = new WeakMap<Served, { readonly owner: string; readonly behalf: Behalf; end(): void }>()
  const byOwner = new Map<string, Set<Behalf>>()
  return {
    begin(x) {
      if (byRequest.has(x)) return
      const token = tokenOf(x)
      const told = x.principal !== undefined && tells() ? { voice: voiceOf(x.principal), trace: () => traceIn(x) } : undefined
      if (token === undefined) {
        if (told !== undefined) byRequest.set(x, { owner: '', behalf: { ...NOTHING_SHOWN, ...told }, end() {} })
        return
      }
      let held: string | undefined = token
      const behalf: Behalf = { rights: rightsOf(token), token: () => held, ...told }
      const owner = ownerOf(x.principal)
      const all = byOwner.get(owner) ?? new Set()
      byOwner.set(owner, all.add(behalf))
      byRequest.set(x, {
        owner,
        behalf,
        end() {
          held = undefined
        },
      })
    },
    of: x => byRequest.get(x)?.behalf ?? NOTHING_SHOWN,
    end(x) {
      const found = byRequest.get(x)
      if (found === undefined) return
      found.end()
      byRequest.delete(x)
      const all = byOwner.get(found.owner)
      all?.delete(found.behalf)
      if (all?.size === 0) byOwner.delete(found.owner)
    },
    find(owner, rights) {
      for (const behalf of byOwner.get(owner) ?? []) if (rights === undefined || behalf.rights === rights) return behalf
      return undefined
    },
  }
}

function traceIn(x: Served): string | undefined {
  return x instanceof LiveExchange ? traceOf(x) : undefined
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

/** Invariant: only of a caller who was authenticated by this very token; an API key or a certificate is nothing to exchange. */
function tokenOf({ principal, peer }: Served): string | undefined {
  if (principal?.via.method !== 'jwt') return undefined
  const [value = '', ...others] = peer.header('authorization')
  return others.length > 0 ? undefined : BEARER.exec(value)?.[1]
}

/** What one token says and the next one of the same kind says otherwise, though the same may be done with both. */
const VOLATILE: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'jti'])

/** Everything else that it says counts: a claim that nobody here knows may be what the token endpoint goes by. */
function rightsOf(token: string): string {
  let said: string
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
    said = JSON.stringify(
      Object.keys(claims)
        .filter(key => !VOLATILE.has(key))
        .sort()
        .map(key => [key, claims[key]]),
    )
  } catch {
    said = token
  }
  return createHash('sha256').update(said).digest('base64url')
}
