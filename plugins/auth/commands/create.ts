// keys create: makes a key, keeps its digest, and prints the key alone on stdout, so that a script can take it.
import type { CommandIo } from 'mcpgw/plugin'
import { type AuthConfig, idPattern, namePattern, rolePattern } from '../config.ts'
import { describeNew, makeKey, type NewKey, type Wish } from '../key-making.ts'
import { findSameIds } from '../same-ids.ts'
import { openVault } from '../vault.ts'
import { readDuration, readRate } from './lifetime.ts'
import { tellRecord } from './tell-record.ts'

export async function createKey(io: CommandIo<AuthConfig>): Promise<number> {
  const wish = readWish(io)
  if (typeof wish === 'string') {
    io.err(wish)
    return 2
  }
  let made: NewKey
  const vault = await openVault(io.stores, io.config)
  try {
    made = await makeKey(vault, wish, io.clock.now(), io.operator)
    await tellRecord(io, vault.store)
  } finally {
    await vault.store.close()
  }
  const { id, key, principal, roles, tenant } = made
  for (const same of findSameIds(io.config.jwt, [{ id: principal, tenant }])) io.err(`Warning: ${same}.`)
  if (io.json) {
    io.out(JSON.stringify(describeNew(made)))
    return 0
  }
  const { expiresAt: expires, rate } = describeNew(made)
  io.out(key)
  if (rate !== null) io.err(`It is good for ${rate}, which the plugin ratelimit holds it to; a gateway without ratelimit refuses it.`)
  const who = `${principal} (${roles.length === 0 ? 'no roles' : roles.join(', ')}; tenant ${tenant})`
  io.err(`Key ${id} for ${who}, ${expires === null ? 'without expiry' : `until ${expires}`}. It is shown this once: keep it now.`)
  return 0
}

/** A text says what is wrong. */
function readWish(io: CommandIo<AuthConfig>): Wish | string {
  const [name, principal, roleList] = io.args
  const { tenant = 'default', expires } = io.options
  if (typeof name !== 'string' || !namePattern.test(name)) return 'The name is one line of 1 to 128 characters.'
  if (typeof principal !== 'string' || !idPattern.test(principal)) return 'The principal is letters, digits and _ . : @ / + -, at most 128.'
  if (typeof tenant !== 'string' || !idPattern.test(tenant)) return 'The tenant is letters, digits and _ . : @ / + -, at most 128.'
  const roles = typeof roleList === 'string' && roleList !== '' ? [...new Set(roleList.split(','))] : []
  const odd = roles.find(role => !rolePattern.test(role))
  if (odd !== undefined) return `${JSON.stringify(odd)} is no role: letters, digits, _ . : and -, separated by commas without spaces.`
  const claims = readClaims(io.options.claims)
  if (claims === undefined) return '--claims is a JSON object: {"customer_id":"c-1"}.'
  const rate = readRate(io.options.rate)
  if (io.options.rate !== undefined && rate === undefined)
    return '--rate is a number of requests per s, min, h or d: 100/min, 10/s, 5000/d.'
  const wish = { name, principal, roles, tenant, claims, ...(rate && { rate }) }
  if (expires === undefined) return wish
  const lifeMs = readDuration(expires)
  if (lifeMs === undefined) return '--expires is a number and m, h, d or w, at most ten years: 12h, 90d.'
  return { ...wish, lifeMs }
}

function readClaims(text: string | boolean | undefined): Wish['claims'] | undefined {
  if (text === undefined) return {}
  try {
    const value = JSON.parse(String(text)) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Wish['claims']) : undefined
  } catch {
    return undefined
  }
}
