// One JSON document of an issuer, or why not: a key set or metadata, from where the operator has pointed to, and no redirect.
import type { Outgoing } from 'mcpgw/plugin'
import { type JsonMap, readJsonMap } from './strict-json.ts'

const maxBytes = 262_144
const jsonType = /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i

export class StatusError extends Error {
  readonly status: number
  constructor(origin: string, status: number) {
    super(`${origin}: expected status 200, found ${status}`)
    this.status = status
  }
}

/** `timeout`: ms. Rejects in words that quote nothing of the answer. */
export async function fetchJson(outgoing: Outgoing, url: string, timeout: number): Promise<JsonMap> {
  const { origin } = new URL(url)
  const answer = await outgoing.request(url, { origin: 'configured', timeout, maxBytes, headers: { accept: 'application/json' } })
  if (answer.status !== 200) throw new StatusError(origin, answer.status)
  if (!jsonType.test(answer.header('content-type') ?? '')) throw new Error(`${origin}: expected JSON, found another content type`)
  const read = readJsonMap(answer.body)
  if ('why' in read) throw new Error(`${origin}: the answer is ${read.why}`)
  return read.map
}
