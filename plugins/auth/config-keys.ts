// Keys that stand in the config, as older gateway.yaml files have them: checked, turned into digests at once, and complained about.
import type { KeyObject } from 'node:crypto'
import type { ConfigKey } from './config.ts'
import { digestKey } from './key.ts'
import { makePrincipal, nameDigest, type RingKey } from './ring.ts'

// What examples, templates and careless hands put where a key belongs.
const placeholder =
  /your[_-]?(?:api[_-]?)?(?:secret[_-]?)?key|change[_-]?me|replace[_-]?me|placeholder|^(?:gw_)?(?:default|example|secret|test|password|admin)/i
const minLength = 16
const minDistinct = 8

/** Throws, naming the entry but never the key, where a key that could authenticate is one that anybody could guess. */
export function readConfigKeys(entries: readonly ConfigKey[], pepper: KeyObject): RingKey[] {
  const ids = new Set<string>()
  const keys = new Set<string>()
  return entries.map((entry, at) => {
    const where = `auth: apiKeys[${at}] (${entry.id})`
    if (ids.has(entry.id)) throw new Error(`${where}: another entry has the same id`)
    ids.add(entry.id)
    const weakness = entry.enabled ? findWeakness(entry.key) : undefined
    if (weakness !== undefined)
      throw new Error(`${where}: the key ${weakness}. Make one with: mcpgw keys create NAME ${entry.consumerId} ROLES`)
    if (keys.has(entry.key)) throw new Error(`${where}: another entry has the same key`)
    keys.add(entry.key)
    return {
      id: entry.id,
      digest: nameDigest(digestKey(pepper, entry.key)),
      principal: makePrincipal(
        entry.consumerId,
        entry.name,
        entry.roles,
        entry.tenant,
        { method: 'api-key', keyId: entry.id },
        entry.claims,
      ),
      ...(entry.enabled ? {} : { closed: 'disabled' as const }),
    }
  })
}

function findWeakness(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (placeholder.test(key)) return 'is the placeholder of an example'
  if (key.length < minLength) return `has fewer than ${minLength} characters`
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key)) return 'holds characters that a header cannot carry'
  if (new Set(key).size < minDistinct) return `has fewer than ${minDistinct} different characters`
  return undefined
}
