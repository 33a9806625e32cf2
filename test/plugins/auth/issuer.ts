// An issuer that does as a test says: metadata and keys by URL, every request counted.
import type { Outgoing, OutgoingAnswer } from 'mcpgw/plugin'
import { issuer, type SigningKey } from './tokens.ts'

export interface FakeIssuer {
  readonly outgoing: Outgoing
  /** Urls that were asked for, in order. */
  readonly asked: string[]
  /** What is answered instead, as long as it stands. */
  fault: ((url: string) => Promise<OutgoingAnswer> | OutgoingAnswer | undefined) | undefined
  keys: readonly SigningKey[]
  metadata: Readonly<Record<string, unknown>>
}

export const metadataUrl = `${issuer}/.well-known/openid-configuration`
export const keysUrl = `${issuer}/keys`

export function createIssuer(...keys: SigningKey[]): FakeIssuer {
  const asked: string[] = []
  const fake: FakeIssuer = {
    asked,
    keys,
    fault: undefined,
    metadata: { issuer, jwks_uri: keysUrl },
    outgoing: {
      async request(url, { origin }) {
        if (origin !== 'configured') throw new Error('the operator has named the issuer')
        asked.push(url)
        const instead = await fake.fault?.(url)
        if (instead !== undefined) return instead
        if (url === metadataUrl) return jsonAnswer(fake.metadata)
        return url === keysUrl ? jsonAnswer({ keys: fake.keys.map(({ jwk }) => jwk) }) : jsonAnswer({}, 404)
      },
    },
  }
  return fake
}

export function jsonAnswer(value: unknown, status = 200, type = 'application/json'): OutgoingAnswer {
  return textAnswer(JSON.stringify(value), status, type)
}

export function textAnswer(text: string, status = 200, type = 'application/json'): OutgoingAnswer {
  return { status, body: Buffer.from(text), header: name => (name === 'content-type' ? type : undefined) }
}
