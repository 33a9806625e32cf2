// `mcpgw credentials list|revoke`: what users have given the gateway for servers, and taking it back. No token is ever shown.
import type { Entry } from '../credentials/sealed.ts'
import { createUserTokens, hasUserTokens, type UserTokens } from '../credentials/user-tokens.ts'
import { createLog } from '../log.ts'
import { readOwner } from '../owner.ts'
import { alignColumns } from '../plugin/index.ts'
import { isStoreAnswer } from '../store/fault.ts'
import { type Shelved, takeBack } from './credentials-revoke.ts'
import { loadOrStarter } from './starter.ts'
import { openStores } from './stores.ts'
import { textOption, type VerbIo } from './verb.ts'

export async function listCredentials(io: VerbIo): Promise<number> {
  return withTokens(io, async ({ tokens }) => {
    const found = select(io, (await tokens?.all()) ?? [])
    const rows = found.map(describe).toSorted((a, b) => compare(keyOf(a), keyOf(b)))
    if (io.json) io.out(`${JSON.stringify({ credentials: rows }, null, 2)}\n`)
    else if (rows.length === 0) io.err('There are none: no user has authorised the gateway for a server.\n')
    else io.out(layOut(rows))
    return 0
  })
}

/** 0 where they are gone, here and at the issuer where it takes tokens back or nobody gave any; 3 where an issuer could not be told. */
export async function revokeCredentials(io: VerbIo): Promise<number> {
  if (io.args[0] === undefined && textOption(io, 'server') === undefined && textOption(io, 'tenant') === undefined) {
    io.err('error[usage]: say whose: a principal, --server or --tenant\n  = help: mcpgw credentials list shows them\n')
    return 2
  }
  return withTokens(io, async shelved => {
    const found = select(io, (await shelved.tokens?.all()) ?? [])
    const done = await takeBack(io, shelved, found)
    if (io.json) io.out(`${JSON.stringify({ revoked: done }, null, 2)}\n`)
    else if (done.length === 0) io.err('There are none to revoke. `mcpgw credentials list` shows them.\n')
    else
      io.out(
        alignColumns([
          ['SERVER', 'TENANT', 'PRINCIPAL', 'ISSUER'],
          ...done.map(one => [one.server, one.tenant, one.principal, sayIssuer(one)]),
        ]),
      )
    return done.some(({ atIssuer }) => atIssuer === 'failed') ? 3 : 0
  })
}

function sayIssuer({ atIssuer, why }: { readonly atIssuer: string; readonly why?: string }): string {
  if (atIssuer === 'done') return 'has revoked it'
  return atIssuer === 'no-way' ? 'names no way to revoke it; it is good there until its end' : `does not know: ${why}`
}

async function withTokens(io: VerbIo, work: (shelved: Shelved) => Promise<number>): Promise<number> {
  const loaded = await loadOrStarter(io)
  if (loaded === 2) return 2
  const log = createLog({ level: loaded.config.log === 'info' ? 'warn' : loaded.config.log, write: line => io.err(line) })
  const stores = await openStores(loaded.config.store, log)
  let tokens: UserTokens | undefined
  try {
    tokens = (await hasUserTokens(stores)) ? createUserTokens(stores) : undefined
    return await work({ loaded, stores, log, tokens })
  } catch (error) {
    if (!isStoreAnswer(error)) throw error
    io.err(`error[credentials]: ${error.message}\n`)
    return 3
  } finally {
    await tokens?.close()
  }
}

function select(io: VerbIo, all: readonly Entry[]): readonly Entry[] {
  const [principal] = io.args
  const [server, tenant] = [textOption(io, 'server'), textOption(io, 'tenant')]
  return all.filter(entry => {
    const own = readOwner(entry.owner)
    return (
      (server === undefined || entry.server === server) &&
      (tenant === undefined || own.tenant === tenant) &&
      (principal === undefined || own.id === principal)
    )
  })
}

interface Line {
  readonly server: string
  readonly tenant: string
  readonly principal: string
  /** Who vouches for the principal. */
  readonly method: string
  readonly issuer: string | null
  /** ISO times; null: not known. */
  readonly since: string | null
  readonly goodUntil: string
  /** Without the user. */
  readonly renewable: boolean
  readonly scopes: readonly string[]
}

function describe({ server, owner, token }: Entry): Line {
  const { tenant, id, method, issuer } = readOwner(owner)
  return {
    server,
    tenant,
    principal: id,
    method,
    issuer: issuer === '' ? null : issuer,
    since: token.since === undefined ? null : new Date(token.since).toISOString(),
    goodUntil: new Date(token.goodUntil).toISOString(),
    renewable: token.refresh !== undefined,
    scopes: token.scope?.split(' ').filter(scope => scope !== '') ?? [],
  }
}

function layOut(rows: readonly Line[]): string {
  const cells = rows.map(({ server, tenant, principal, method, issuer, since, goodUntil, renewable, scopes }) => [
    server,
    tenant,
    principal,
    issuer === null ? method : `${method} ${issuer}`,
    since === null ? '-' : toMinute(since),
    `${toMinute(goodUntil)}${renewable ? ', then renewed' : ''}`,
    scopes.join(' ') || '-',
  ])
  return alignColumns([['SERVER', 'TENANT', 'PRINCIPAL', 'KNOWN BY', 'SINCE', 'GOOD UNTIL', 'SCOPES'], ...cells])
}

const toMinute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')}Z`
const keyOf = ({ server, tenant, principal, method }: Line): string => [server, tenant, principal, method].join('\0')
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
