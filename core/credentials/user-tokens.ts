// Tokens that users have given the gateway for a server: kept encrypted, each good for one server and one principal alone.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Database, Stores } from '../plugin/index.ts'

export interface UserToken {
  readonly access: string
  /** Ms since 1970. */
  readonly goodUntil: number
  readonly refresh?: string | undefined
}

export interface UserTokens {
  find(server: string, owner: string): UserToken | undefined
  keep(server: string, owner: string, token: UserToken): void
  /** Only where it is still this one: another instance may have kept a newer one meanwhile. */
  drop(server: string, owner: string, token: UserToken): void
  close(): void
}

const SCHEMA = 'CREATE TABLE IF NOT EXISTS user_tokens (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Opened with its first use. Neither tokens nor names of principals stand in the file as they are. */
export function createUserTokens(stores: Pick<Stores, 'open' | 'key'>): UserTokens {
  let opened: { readonly database: Database; readonly key: Uint8Array } | undefined

  function open(): NonNullable<typeof opened> {
    if (opened === undefined) {
      const database = stores.open('credentials.db', { durability: 'full' })
      database.exec(SCHEMA)
      opened = { database, key: stores.key('credentials.key') }
    }
    return opened
  }

  function find(server: string, owner: string): UserToken | undefined {
    const { database, key } = open()
    const row = database.prepare('SELECT sealed FROM user_tokens WHERE id = ?').get(idOf(server, owner))
    return row?.sealed instanceof Uint8Array ? unseal(key, server, owner, row.sealed) : undefined
  }

  return {
    find,
    keep(server, owner, token) {
      const { database, key } = open()
      database
        .prepare('INSERT INTO user_tokens VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed')
        .run(idOf(server, owner), seal(key, server, owner, token))
    },
    drop(server, owner, token) {
      const { database } = open()
      database.transaction(() => {
        const kept = find(server, owner)
        if (kept?.access === token.access && kept.refresh === token.refresh)
          database.prepare('DELETE FROM user_tokens WHERE id = ?').run(idOf(server, owner))
      })
    },
    close() {
      opened?.database.close()
      opened = undefined
    },
  }
}

function idOf(server: string, owner: string): string {
  return createHash('sha256').update(boundTo(server, owner)).digest('base64url')
}

/** Invariant: no id of a server holds what separates it. */
function boundTo(server: string, owner: string): Buffer {
  return Buffer.from(`user-token\0${server}\0${owner}`)
}

function seal(key: Uint8Array, server: string, owner: string, token: UserToken): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(boundTo(server, owner))
  return Buffer.concat([nonce, cipher.update(JSON.stringify(token)), cipher.final(), cipher.getAuthTag()])
}

function unseal(key: Uint8Array, server: string, owner: string, sealed: Uint8Array): UserToken | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(boundTo(server, owner))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()) as UserToken
  } catch {
    // Made under another key, or for somebody else: it is nobody's, and is authorised anew.
    return undefined
  }
}
