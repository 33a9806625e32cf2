// A user's visit to an authorization server on behalf of the gateway: begun by a call, confirmed in a browser, ended in the same browser.
// Spec: RFC 6749, 4.1; RFC 7636; RFC 9207; MCP 2025-11-25 client/elicitation, "URL Mode: Security Considerations".
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { UserClient } from '../config/schema.ts'
import type { Clock } from '../plugin/index.ts'
import type { Token } from './token-answer.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import { withdraw } from './token-revocation.ts'

/** What a user is asked to visit. */
export interface Invitation {
  readonly id: string
  readonly url: string
  /** The host that he is asked to trust with it. */
  readonly host: string
}

/** How far a visit is; `why` is for the page and holds no text of anybody else's. */
export type Step =
  | { readonly kind: 'confirm'; readonly id: string; readonly cookie: string; readonly word: string; readonly about: About }
  | { readonly kind: 'leave'; readonly url: string }
  | { readonly kind: 'done'; readonly about: About }
  | { readonly kind: 'refused'; readonly why: string }

export interface About {
  readonly server: string
  readonly principal: string
  readonly host: string
}

export interface Authorizations {
  /** For the owner of lanes, in words: `principal`. */
  invite(server: string, owner: string, principal: string): Invitation | undefined
  /** The user opens what he was given. */
  show(id: string): Step
  /** He confirms, in the browser that `cookie` was given to; `word` stands on the page alone, so that no link of a stranger confirms. */
  confirm(id: string, word: string, cookie: string | undefined): Promise<Step>
  /** The authorization server sends a browser back. */
  back(query: URLSearchParams, cookie: string | undefined): Promise<Step>
}

export interface Asker extends TokenRequester {
  readonly client: UserClient
  /** True while what is given could not be kept. */
  isAway(): boolean
  /** Rejects where it cannot be kept. */
  take(owner: string, token: Token): Promise<void>
  failed(owner: string, why: string, error: unknown): void
}

interface Pending {
  readonly id: string
  readonly server: string
  readonly asker: Asker
  readonly owner: string
  readonly about: About
  readonly until: number
  /** Of the browser that opened it; the first one has it. */
  cookie?: string
  word?: string
  /** Set once confirmed. */
  way?: { readonly state: string; readonly verifier: string; readonly saysIssuer: boolean }
}

const GOOD_MS = 600_000
const MAX_PENDING = 10_000
const MAX_OF_ONE = 10
const random = (): string => randomBytes(32).toString('base64url')
const TOO_OLD: Step = {
  kind: 'refused',
  why: 'This link is not known, was used before, or is too old. Make the call again to get another.',
}

export function createAuthorizations(askers: ReadonlyMap<string, Asker>, clock: Clock): Authorizations {
  const pending = new Map<string, Pending>()

  function forget(): void {
    for (const one of pending.values()) if (one.until < clock.mono()) pending.delete(one.id)
  }

  function find(id: string): Pending | undefined {
    const one = pending.get(id)
    // Of a server that is not there any more, or not as it was, nothing goes on.
    return one !== undefined && one.until >= clock.mono() && askers.get(one.server) === one.asker ? one : undefined
  }

  return {
    invite(server, owner, principal) {
      const asker = askers.get(server)
      if (asker === undefined || asker.isAway() || owner === '') return undefined
      forget()
      const own = [...pending.values()].filter(one => one.owner === owner && one.server === server)
      // Those that nobody has opened make room: an agent that calls again and again asks for the same thing.
      if (own.length >= MAX_OF_ONE) pending.delete(own[0]!.id)
      if (pending.size >= MAX_PENDING) return undefined
      const id = random()
      const { host } = new URL(asker.client.issuer)
      pending.set(id, { id, server, asker, owner, about: { server, principal, host }, until: clock.mono() + GOOD_MS })
      return { id, host, url: `${asker.client.gateway}/credentials/start?request=${id}` }
    },

    show(id) {
      const one = find(id)
      // Whoever opens it second is somebody else, or has lost the cookie: either way another link is to be had.
      if (one === undefined || one.cookie !== undefined) return TOO_OLD
      one.cookie = random()
      one.word = random()
      return { kind: 'confirm', id, cookie: one.cookie, word: one.word, about: one.about }
    },

    async confirm(id, word, cookie) {
      const one = find(id)
      if (one === undefined || one.way !== undefined || !isSame(one.word, word) || !isSame(one.cookie, cookie)) return TOO_OLD
      const { client, authority } = one.asker
      const endpoints = await authority.endpoints().catch(() => undefined)
      if (endpoints?.authorize === undefined || one.way !== undefined)
        return { kind: 'refused', why: `${one.about.host} does not say where users are to go.` }
      one.way = { state: `${id}.${random()}`, verifier: random(), saysIssuer: endpoints.saysIssuer === true }
      const url = new URL(endpoints.authorize)
      const challenge = createHash('sha256').update(one.way.verifier).digest('base64url')
      const query = {
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: callbackOf(client),
        state: one.way.state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...aboutToken(client),
      }
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      return { kind: 'leave', url: url.href }
    },

    async back(query, cookie) {
      const state = only(query, 'state') ?? ''
      const one = find(state.split('.', 1)[0]!)
      if (one?.way === undefined || one.way.state !== state || !isSame(one.cookie, cookie)) return TOO_OLD
      // Invariant: a state is good once, whatever comes of it.
      pending.delete(one.id)
      const { asker } = one
      const { client } = asker
      const { host } = one.about
      const refuse = (why: string, error?: unknown): Step => {
        asker.failed(one.owner, why, error)
        return { kind: 'refused', why: `${why[0]!.toUpperCase()}${why.slice(1)}.` }
      }
      const iss = only(query, 'iss')
      if (query.has('iss') ? iss !== client.issuer : one.way.saysIssuer) return refuse(`the answer is not one of ${host}`)
      if (query.has('error')) return refuse(`${host} did not authorise the gateway${codeOf(only(query, 'error'))}`)
      const code = only(query, 'code')
      if (code === undefined || code === '') return refuse(`the answer of ${host} holds no code`)
      let token: Token
      try {
        const { resource } = client
        token = await requestToken(asker, {
          grant_type: 'authorization_code',
          code,
          redirect_uri: callbackOf(client),
          code_verifier: one.way.verifier,
          ...(resource !== undefined && { resource }),
        })
      } catch (error) {
        return refuse(`${host} gave no token`, error)
      }
      try {
        await asker.take(one.owner, token)
        return { kind: 'done', about: one.about }
      } catch (error) {
        void withdraw(asker, token)
        return refuse('what was given cannot be kept now', error)
      }
    },
  }
}

export function callbackOf({ gateway }: UserClient): string {
  return `${gateway}/credentials/callback`
}

/** Spec: RFC 6749, 3.1: no parameter stands twice. */
function only(query: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = query.getAll(name)
  return others.length === 0 ? value : undefined
}

function codeOf(error: string | undefined): string {
  return error !== undefined && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : ''
}

/** Invariant: of another browser than the one that began, nothing goes on. */
function isSame(own: string | undefined, given: string | undefined): boolean {
  if (own === undefined || given === undefined) return false
  const [a, b] = [own, given].map(text => createHash('sha256').update(text).digest()) as [Buffer, Buffer]
  return timingSafeEqual(a, b)
}
