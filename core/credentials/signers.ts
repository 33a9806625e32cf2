// Signs what is asked of another gateway, in the name of whoever asks; and tells operators whether that one takes it.
import type { GatewayClient } from '../config/schema.ts'
import { CALLER } from '../mcp/caller.ts'
import type { Clock } from '../plugin/index.ts'
import type { Behalf } from '../upstream/behalf.ts'
import { CredentialFault, type RequestSigner, type SignedRequest } from '../upstream/remote/credential.ts'
import type { TransportFault } from '../upstream/transport.ts'
import { writeCaller } from './caller-header.ts'
import { type GatewayKey, readGatewayKey } from './gateway-key.ts'
import { OF_ONE_CALLER, readRefusal } from './gateway-refusal.ts'
import type { Reporter } from './reporter.ts'
import { readVoice, type Voice } from './voice.ts'

export interface SignersOptions {
  readonly client: GatewayClient
  readonly clock: Clock
  readonly reporter: Pick<Reporter, 'failed' | 'taken'>
}

/** A new key in the file is taken within this time. */
const LOOK_MS = 2000
/** Gateways that a call may go through; whoever takes it counts too. */
const MOST_GATEWAYS = 4

/** `url`: of the other gateway. */
export type SignerOf = (url: string, owner: string) => RequestSigner

export function createSigners({ client, clock, reporter }: SignersOptions): SignerOf {
  let known: { readonly key: GatewayKey; readonly at: number } | undefined
  let refused: string | undefined

  /** It concerns whoever calls: the server is not there for this gateway. */
  function fail(why: string, code: TransportFault['code'] = 'upstream-unavailable'): CredentialFault {
    if (refused !== why) reporter.failed(why)
    refused = why
    return new CredentialFault({ code, detail: why })
  }

  /** What cannot be read any more leaves in force what could. */
  function keyNow(): GatewayKey {
    if (known !== undefined && clock.mono() - known.at < LOOK_MS) return known.key
    const read = readGatewayKey(client.privateKey)
    if ('problem' in read && known === undefined) throw fail(read.problem)
    known = { key: 'problem' in read ? known!.key : read, at: clock.mono() }
    return known.key
  }

  function write(url: string, owner: string, request: SignedRequest, behalf: Behalf | undefined): string {
    const voice = behalf === undefined ? readVoice(owner) : behalf.voice
    if (behalf !== undefined && voice === undefined) throw ofOne('nobody says who the caller is, so that no other gateway can be told')
    if (voice !== undefined) mayGoOn(voice, client.as)
    const audience = client.audience ?? nameOf(url)
    const header = writeCaller(keyNow(), {
      as: client.as,
      audience,
      voice,
      traceparent: behalf?.trace?.(),
      request,
      now: clock.now(),
    })
    if (header.length > CALLER.maxLength) throw ofOne(`what is to be said of the caller has more than ${CALLER.maxLength} characters`)
    return header
  }

  function refusal(challenge: string | undefined): CredentialFault {
    const { word, why } = readRefusal(challenge)
    if (OF_ONE_CALLER.has(word)) return ofOne(why)
    // Only this request was spoilt on its way.
    return word === 'changed' ? fail(why, 'upstream-credential') : fail(why)
  }

  return (url, owner) => ({
    check: () => void keyNow(),
    sign: (request, behalf) => write(url, owner, request, behalf),
    heard(status, challenge, isOpening) {
      if (status === 401) return refusal(challenge)
      // Invariant: what it thinks of one caller (killed, too many requests) says nothing of it to the others.
      if (isOpening && owner !== '' && (status === 403 || status === 429))
        return ofOne(`the other gateway refuses this caller (HTTP ${status})`)
      // What stands before the other gateway may have answered in its place.
      if (refused !== undefined && status < 300) {
        refused = undefined
        reporter.taken()
      }
      return undefined
    },
  })
}

/** It says nothing of the other gateway. */
function ofOne(detail: string): CredentialFault {
  return new CredentialFault({ code: 'upstream-credential', detail })
}

function mayGoOn({ via }: Voice, as: string): void {
  if (via.includes(as)) throw ofOne('the call has come through this gateway before')
  if (via.length >= MOST_GATEWAYS) throw ofOne(`the call has come through ${via.length} gateways`)
}

/** Without what may be a secret. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
