// keys revoke: ends a key by its public id, or by the key itself where that is what leaked.
import type { CommandIo } from 'mcpgw/plugin'
import type { AuthConfig } from '../config.ts'
import { readKeyId } from '../key.ts'
import { openStore } from '../vault.ts'
import { tellRecord } from './tell-record.ts'

export async function revokeKey(io: CommandIo<AuthConfig>): Promise<number> {
  const [text] = io.args
  if (typeof text !== 'string') {
    io.err('Name the key by its id. `mcpgw keys list` shows them.')
    return 2
  }
  const store = await openStore(io.stores, io.config)
  try {
    const isStored = (await store.find(text)) !== undefined
    if (!isStored && io.config.apiKeys.some(key => key.id === text)) {
      io.err(`${text} stands in the config: set enabled: false there, or take it out.`)
      return 3
    }
    // One that was imported has the id it had in the config.
    const id = isStored ? text : readKeyId(text)
    if (id === undefined) {
      io.err('That is no id of a key. `mcpgw keys list` shows them.')
      return 2
    }
    const outcome = await store.revoke(id, io.clock.now(), io.operator)
    await tellRecord(io, store)
    if (outcome === 'unknown') {
      io.err(`There is no key ${id}. \`mcpgw keys list\` shows them.`)
      return 3
    }
    if (io.json) io.out(JSON.stringify({ id, outcome }))
    else io.err(outcome === 'revoked' ? `Key ${id} is revoked.` : `Key ${id} was revoked before.`)
    return 0
  } finally {
    await store.close()
  }
}
