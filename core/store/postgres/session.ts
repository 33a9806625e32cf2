// One connection that belongs to a writer: its settings held against what the writer promises, its place secured by a lock.
import type { Socket } from 'node:net'
import type { Client } from 'pg'
import { StoreFault } from '../fault.ts'
import { clientConfig, nameAddress } from './address.ts'

/** A backend as it can be told from a later one with the same process id. */
export interface Backend {
  readonly pid: number
  readonly started: string
}

export interface Session {
  readonly client: Client
  readonly backend: Backend
}

export interface SessionOptions {
  readonly url: string
  readonly durability: 'full' | 'os'
  /** Held by this session and no other one. */
  readonly lock: string
  /** The session that this one comes after: what it still does is ended first. */
  readonly former?: Backend | undefined
}

const LOCK_MS = 1500
const END_MS = 1000

/** Rejects with a StoreFault where the server does not keep what `durability` promises. `onLost`: the connection has ended, not by `end`. */
export async function openSession(options: SessionOptions, onLost: (error: Error) => void): Promise<Session> {
  const { url, lock, former } = options
  const { Client } = await import('pg')
  const client = new Client(clientConfig(url))
  // Without a listener an error of an idle connection would end the process.
  client.on('error', onLost)
  client.on('end', () => onLost(new Error('the database ended the connection')))
  try {
    await client.connect()
    const backend = await checkSettings(client, options)
    if (former !== undefined) await client.query(END_FORMER, [former.pid, former.started])
    // Invariant: once the lock is held, nothing that the former session began can be stored any more.
    await client.query(`SET lock_timeout = ${LOCK_MS}`)
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [lock])
    await client.query('RESET lock_timeout')
    return { client, backend }
  } catch (error) {
    await endSession(client)
    throw error
  }
}

/** Resolves when the connection is closed, whatever the server does. */
export async function endSession(client: Client): Promise<void> {
  client.removeAllListeners('end')
  // What comes after the end is of no interest, but must have a listener.
  client.on('error', () => {})
  const timer = setTimeout(() => (client as Client & { connection: { stream: Socket } }).connection.stream.destroy(), END_MS)
  await client.end().catch(() => {})
  clearTimeout(timer)
}

// A role may end its own backends; the start time tells whether the id was given to another since.
const END_FORMER = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2'

const SETTINGS = `
SELECT pg_backend_pid() AS pid,
  (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS started,
  current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
  set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)`

/** Also that an idle session is kept, and that one of a machine that fell silent is not. */
async function checkSettings(client: Client, { url, durability }: SessionOptions): Promise<Backend> {
  const { rows } = await client.query<Record<'started' | 'encoding' | 'commit' | 'fsync', string> & { pid: number }>(SETTINGS)
  const { pid, started, encoding, commit, fsync } = rows[0]!
  const refuse = (why: string): never => {
    throw new StoreFault('store-unfit', `${nameAddress(url)}: ${why}`)
  }
  if (encoding !== 'UTF8') refuse(`the encoding of the database is ${encoding}; it has to be UTF8`)
  if (durability === 'full' && commit === 'off')
    refuse('synchronous_commit is off, so what was acknowledged may be lost: ALTER ROLE ... SET synchronous_commit = on, or durability: os')
  if (durability === 'full' && fsync === 'off')
    refuse('the server runs with fsync = off, so what was acknowledged may be lost: turn it on, or use durability: os')
  await client.query(
    "SELECT set_config('idle_session_timeout', '0', false) WHERE current_setting('idle_session_timeout', true) IS NOT NULL",
  )
  return { pid, started }
}
