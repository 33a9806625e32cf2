// A user's visit to an authorization server on behalf of the gateway: begun by a call, confirmed in a browser, ended in the same browser, each step
// at whichever gateway of a database it comes to.
// Spec: RFC 6749, 4.1; RFC 7636; RFC 9207; MCP 2025-11-25 client/elicitation, "URL Mode: Security Considerations".
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { timedOut, within } from '../clock.ts'
import type { UserClient } from '../config/schema.ts'
import type { Awaitable, Clock, Log } from '../plugin/index.ts'
import type { Token } from './token-answer.ts'
import { aboutToken, requestToken, type TokenRequester } from './token-request.ts'
import { withdraw } from './token-revocation.ts'
import { SILENT_MS } from './users.ts'
import { createVisits, type Visit, type Visits } from './visits.ts'

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
  invite(server: string, owner: string, principal: string): Promise<Invitation | undefined>
  /** The user opens what he was given. */
  show(id: string): Promise<Step>
  /** He confirms, in the browser that `cookie` was given to; `word` stands on the page alone, so that no link of a stranger confirms. */
  confirm(id: string, word: string, cookie: string | undefined): Promise<Step>
  /** The authorization server sends a browser back. */
  back(query: URLSearchParams, cookie: string | undefined): Promise<Step>
}

export interface Asker extends TokenRequester {
  readonly client: UserClient
  /** Of the server's url: with another one no visit goes on. */
  readonly url: string
  /** True while what is given could not be kept. */
  isAway(): boolean
  /** Rejects where it cannot be kept. */
  take(owner: string, token: Token): Promise<void>
  failed(owner: string, why: string, error: unknown): void
}

export interface AuthorizationsOptions {
  readonly askers: ReadonlyMap<string, Asker>
  readonly clock: Clock
  readonly log: Log
  /** Visits that gateways share; undefined where they share none. Rejects while they cannot be reached. */
  shared(): Promise<Visits | undefined>
  /** He may come back to this gateway or, where they share visits, to another one. */
  invited(server: string, owner: string): void
}

const random = (): string => randomBytes(32).toString('base64url')
const refused = (why: string): Step => ({ kind: 'refused', why })
const TOO_OLD = refused('This link is not known, was used before, or is too old. Make the call again to get another.')
const AWAY = refused('What is under way cannot be looked up now. Open this page again in a little while.')

export function createAuthorizations({ askers, clock, log, shared, invited }: AuthorizationsOptions): Authorizations {
  const own = createVisits(clock)

  /** Rejects where they say nothing in time. */
  async function using<T>(work: (visits: Visits) => Awaitable<T>): Promise<T> {
    const done = await within(clock, SILENT_MS, async () => work((await shared()) ?? own))
    if (done === timedOut) throw new Error('no answer')
    return done as T
  }

  /** Of a server that is not there any more, or not as it was, nothing goes on. */
  async function find(id: string): Promise<{ readonly visit: Visit; readonly asker: Asker } | undefined> {
    const visit = await using(visits => visits.find(id))
    const asker = askers.get(visit?.server ?? '')
    return visit !== undefined && asker !== undefined && markOf(asker) === visit.mark ? { visit, asker } : undefined
  }

  function away(error: unknown): void {
    log.warn('visits of users to authorization servers cannot be read or kept now', { error: String(error) })
  }

  const orAway = (step: () => Promise<Step>): Promise<Step> =>
    step().catch((error: unknown) => {
      away(error)
      return AWAY
    })

  return {
    async invite(server, owner, principal) {
      const asker = askers.get(server)
      if (asker === undefined || asker.isAway() || owner === '') return undefined
      const id = random()
      const visit = { id, server, owner, principal, mark: markOf(asker) }
      if (!(await using(visits => visits.begin(visit)).catch(away))) return undefined
      invited(server, owner)
      return { id, host: hostOf(asker), url: `${asker.client.gateway}/credentials/start?request=${id}` }
    },

    show: id =>
      orAway(async () => {
        const found = await find(id)
        // Whoever opens it second is somebody else, or has lost the cookie: either way another link is to be had.
        if (found === undefined || found.visit.cookie !== undefined) return TOO_OLD
        const { visit, asker } = found
        const [cookie, word] = [random(), random()]
        if (!(await using(visits => visits.change(visit, { ...visit, cookie, word })))) return TOO_OLD
        return { kind: 'confirm', id, cookie, word, about: aboutOf(visit, asker) }
      }),

    confirm: (id, word, cookie) =>
      orAway(async () => {
        const found = await find(id)
        if (found === undefined || found.visit.way !== undefined) return TOO_OLD
        const { visit, asker } = found
        if (!isSame(visit.word, word) || !isSame(visit.cookie, cookie)) return TOO_OLD
        const { client, authority } = asker
        const endpoints = await authority.endpoints().catch(() => undefined)
        if (endpoints?.authorize === undefined) return refused(`${hostOf(asker)} does not say where users are to go.`)
        const way = { state: `${id}.${random()}`, verifier: random(), saysIssuer: endpoints.saysIssuer === true }
        if (!(await using(visits => visits.change(visit, { ...visit, way })))) return TOO_OLD
        const url = new URL(endpoints.authorize)
        const query = {
          response_type: 'code',
          client_id: client.clientId,
          redirect_uri: callbackOf(client),
          state: way.state,
          code_challenge: createHash('sha256').update(way.verifier).digest('base64url'),
          code_challenge_method: 'S256',
          ...aboutToken(client),
        }
        for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
        return { kind: 'leave', url: url.href }
      }),

    back: (query, cookie) =>
      orAway(async () => {
        const state = only(query, 'state') ?? ''
        const found = await find(state.split('.', 1)[0]!)
        if (found?.visit.way?.state !== state || !isSame(found.visit.cookie, cookie)) return TOO_OLD
        // Invariant: a state is good once, whatever comes of it.
        if (!(await using(visits => visits.take(found.visit)))) return TOO_OLD
        return end(found.asker, found.visit, found.visit.way, query)
      }),
  }
}

/** The user has come back, with what the authorization server says. */
async function end(asker: Asker, visit: Visit, way: NonNullable<Visit['way']>, query: URLSearchParams): Promise<Step> {
  const { client } = asker
  const { owner } = visit
  const host = hostOf(asker)
  const refuse = (why: string, error?: unknown): Step => {
    asker.failed(owner, why, error)
    return refused(`${why[0]!.toUpperCase()}${why.slice(1)}.`)
  }
  const iss = only(query, 'iss')
  if (query.has('iss') ? iss !== client.issuer : way.saysIssuer) return refuse(`the answer is not one of ${host}`)
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
      code_verifier: way.verifier,
      ...(resource !== undefined && { resource }),
    })
  } catch (error) {
    return refuse(`${host} gave no token`, error)
  }
  try {
    await asker.take(owner, token)
    return { kind: 'done', about: aboutOf(visit, asker) }
  } catch (error) {
    void withdraw(asker, token)
    return refuse('what was given cannot be kept now', error)
  }
}

function hostOf({ client }: Asker): string {
  return new URL(client.issuer).host
}

function aboutOf({ server, principal }: Visit, asker: Asker): About {
  return { server, principal, host: hostOf(asker) }
}

/** What the gateways of a database must agree on. */
function markOf({ url, client }: Asker): string {
  const { issuer, clientId, gateway, scopes, resource, audience } = client
  return createHash('sha256')
    .update(JSON.stringify([url, issuer, clientId, gateway, scopes, resource, audience]))
    .digest('base64url')
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
