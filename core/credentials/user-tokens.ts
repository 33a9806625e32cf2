// Tokens that users have given the gateway for a server: kept encrypted, each good for one server and one principal alone.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { readOwner } from '../owner.ts'
import type { Database, Person, Stores } from '../plugin/index.ts'

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
  /** Servers that this person has given a token for; `tenant` undefined: in whichever. */
  heldFor(person: Pick<Person, 'id' | 'tenant'>): readonly { readonly tenant: string; readonly server: string }[]
  /** Afterwards the file has nothing of them. The number of tokens. */
  erase(person: Pick<Person, 'id' | 'tenant'>): number
  close(): void
}

/** What is sealed: whose it is stands nowhere else. */
interface Entry {
  readonly server: string
  readonly owner: string
  readonly token: UserToken
}

/** In the data directory. */
export const USER_TOKENS_FILE = 'credentials.db'

const SCHEMA = 'CREATE TABLE IF NOT EXISTS user_tokens (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Opened with its first use. Neither tokens nor names of principals stand in the file as they are. */
export function createUserTokens(stores: Pick<Stores, 'open' | 'key'>): UserTokens {
  let opened: { readonly database: Database; readonly key: Uint8Array } | undefined

  function open(): NonNullable<typeof opened> {
    if (opened === undefined) {
      const database = stores.open(USER_TOKENS_FILE, { durability: 'full' })
      database.exec(SCHEMA)
      opened = { database, key: stores.key('credentials.key') }
    }
    return opened
  }

  function find(server: string, owner: string): UserToken | undefined {
    const { database, key } = open()
    const id = idOf(key, server, owner)
    const entry = unseal(key, id, database.prepare('SELECT sealed FROM user_tokens WHERE id = ?').get(id)?.sealed)
    return entry?.server === server && entry.owner === owner ? entry.token : undefined
  }

  /** Nobody asks for these but who exports or erases: all of them are opened. */
  function entriesOf({
    id,
    tenant,
  }: Pick<Person, 'id' | 'tenant'>): readonly (Entry & { readonly row: string; readonly tenant: string })[] {
    const { database, key } = open()
    return database
      .prepare('SELECT id, sealed FROM user_tokens')
      .all()
      .flatMap(row => {
        const entry = unseal(key, row.id as string, row.sealed)
        if (entry === undefined) return []
        const own = readOwner(entry.owner)
        const isMeant = own.id === id && (tenant === undefined || tenant === own.tenant)
        return isMeant ? [{ ...entry, row: row.id as string, tenant: own.tenant }] : []
      })
  }

  return {
    find,
    keep(server, owner, token) {
      const { database, key } = open()
      database
        .prepare('INSERT INTO user_tokens VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed')
        .run(idOf(key, server, owner), seal(key, { server, owner, token }))
    },
    drop(server, owner, token) {
      const { database, key } = open()
      database.transaction(() => {
        const kept = find(server, owner)
        if (kept?.access === token.access && kept.refresh === token.refresh)
          database.prepare('DELETE FROM user_tokens WHERE id = ?').run(idOf(key, server, owner))
      })
    },
    heldFor: person => entriesOf(person).map(({ tenant, server }) => ({ tenant, server })),
    erase(person) {
      const found = entriesOf(person)
      if (found.length === 0) return 0
      const { database } = open()
      database.transaction(() => {
        for (const { row } of found) database.prepare('DELETE FROM user_tokens WHERE id = ?').run(row)
      })
      database.purge()
      return found.length
    },
    close() {
      opened?.database.close()
      opened = undefined
    },
  }
}

/** Keyed: names of principals could be guessed from a plain hash. Invariant: no id of a server holds what separates it. */
function idOf(key: Uint8Array, server: string, owner: string): string {
  return createHmac('sha256', key).update(`user-token\0${server}\0${owner}`).digest('base64url')
}

function seal(key: Uint8Array, entry: Entry): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(idOf(key, entry.server, entry.owner)))
  return Buffer.concat([nonce, cipher.update(JSON.stringify(entry)), cipher.final(), cipher.getAuthTag()])
}

function unseal(key: Uint8Array, id: string, sealed: unknown): Entry | undefined {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(id))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString()) as Entry
  } catch {
    // Made under another key, or for somebody else: it is nobody's, and is authorised anew.
    return undefined
  }
}
