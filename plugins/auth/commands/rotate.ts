// keys rotate: a new key for whom an old one stands for; the old one holds a while longer, so that clients can be moved over.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { readKeyId } from '../key.ts'
import { describeNew, replaceKey } from '../key-making.ts'
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

  const vault = await openVault(io.stores, io.config)
  try {
    const done = await replaceKey(vault, old, { overlapMs, lifeMs }, io.clock.now(), io.operator)
    await tellRecord(io, vault.store)
    if (done.kind === 'unknown') return fail(io, 3, `There is no key ${old}. \`mcpgw keys list\` shows them.`)
    if (done.kind !== 'replaced') return fail(io, 3, `Key ${old} does not hold any more. Make a new one with: mcpgw keys create`)
    const { made, until } = done
    const { id, key, principal } = made
    if (io.json) {
      io.out(JSON.stringify({ ...describeNew(made), replaces: old, oldExpiresAt: isoTime(until) }))
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
