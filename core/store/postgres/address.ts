// Where a PostgreSQL database is: as the driver takes it, and as people may see it, without the password.
import type { ClientConfig } from 'pg'
import type { SqlValue } from '../../plugin/store.ts'

const CONNECT_MS = 2000

/** `postgres://USER@HOST:PORT/DATABASE`, for messages. `url` is one that `isPostgresUrl` takes. */
export function nameAddress(url: string): string {
  const { username, host, pathname, searchParams } = new URL(url)
  const user = username || searchParams.get('user') || ''
  return `postgres://${user === '' ? '' : `${user}@`}${host || searchParams.get('host') || ''}${pathname}`
}

/** What the URL leaves out comes from the environment (PGPASSWORD, PGHOST, ...) and ~/.pgpass, as for psql. */
export function clientConfig(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'mcpgw',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser: oid => parsers[oid] ?? keepText } as NonNullable<ClientConfig['types']>,
  }
}

const toInteger = (text: string): number | bigint => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text))
const toBytes = (text: string): Uint8Array => Buffer.from(text.slice('\\x'.length), 'hex')
const keepText = (text: string): SqlValue => text

/** By the oid of the type. Values are those that the SQLite port knows: a boolean is 0 or 1. */
const parsers: Readonly<Record<number, (text: string) => SqlValue>> = {
  16: text => (text === 't' ? 1 : 0),
  17: toBytes,
  20: toInteger,
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
}
