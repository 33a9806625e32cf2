// keys rotate: a new key for whom an old one stands for; the old one holds a while longer, so that clients can be moved over.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { digestKey, mintKey, readKeyId } from '../key.ts'
import { openVault } from '../vault.ts'
import { isoTime, readDuration } from './lifetime.ts'
import { tellRecord } from './tell-record.ts'

export async function rotateKey(io: CommandIo<AuthConfig>): Promise<number> {
  const [text] = io.args
  const old = typeof text === 'string' ? readKeyId(text) : undefined
  if (old === undefined) return fail(io, 2, 'Name the key by its id. `mcpgw keys list` shows them.')
  const { overlap, expires } = io.options
  const overlapMs = overlap === '0' ? 0 : readDuration(overlap)
  if (overlapMs === undefined) return fail(io, 2, '--overlap is 0, or a number and m, h, d or w, at most ten years: 24h.')
  const lifeMs = readDuration(expires)
  if (expires !== undefined && lifeMs === undefined)
    return fail(io, 2, '--expires is a number and m, h, d or w, at most ten years: 12h, 90d.')

  const now = io.clock.now()
  const { id, key } = mintKey()
  const vault = await openVault(io.stores, io.config)
  try {
    const before = await vault.store.find(old)
    if (before === undefined) return fail(io, 3, `There is no key ${old}. \`mcpgw keys list\` shows them.`)
    if (before.revokedAt !== undefined || (before.expiresAt ?? Number.POSITIVE_INFINITY) <= now)
      return fail(io, 3, `Key ${old} does not hold any more. Make a new one with: mcpgw keys create`)
    // As long as the old one was to hold, where nothing else is said.
    const life = lifeMs ?? (before.expiresAt === undefined ? undefined : before.expiresAt - before.createdAt)
    const until = Math.min(now + overlapMs, before.expiresAt ?? Number.POSITIVE_INFINITY)
    const { name, principal, roles, tenant, claims, rate } = before
    const next = { id, digest: digestKey(vault.pepper, key), name, principal, roles, tenant, claims, createdAt: now, ...(rate && { rate }) }
    const expiresAt = life === undefined ? undefined : now + life
    const done = await vault.store.rotate(old, { ...next, ...(expiresAt !== undefined && { expiresAt }) }, until, io.operator)
    await tellRecord(io, vault.store)
    if (!done) return fail(io, 3, `Key ${old} was revoked meanwhile.`)
    if (io.json) {
      const times = { createdAt: isoTime(now), expiresAt: isoTime(expiresAt) }
      io.out(JSON.stringify({ id, key, name, principal, roles, tenant, claims, ...times, replaces: old, oldExpiresAt: isoTime(until) }))
      return 0
    }
    io.out(key)
    io.err(`Key ${id} for ${principal} in place of ${old}, which holds until ${isoTime(until)}. It is shown this once: keep it now.`)
    return 0
  } finally {
    await vault.store.close()
  }
}

function fail(io: CommandIo<AuthConfig>, code: number, text: string): number {
  io.err(text)
  return code
}
