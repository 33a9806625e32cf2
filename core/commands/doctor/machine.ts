// Checks of the machine: Node, clock, storage driver, data directory, disk, port.
import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import type { GatewayConfig, ListenConfig } from '../../config/schema.ts'
import { type Log, strangerOf } from '../../plugin/index.ts'
import { openStores } from '../stores.ts'
import type { Check } from './check.ts'

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < 20 || (major === 20 && minor < 19)
  return { name: 'node', status: isOld ? 'fail' : 'ok', message: version, help: 'install Node 24, or at least 20.19' }
}

/** Records, keys and time limits by the calendar need a clock that is about right. `now` in ms. */
export function checkClock(now: number): Check {
  const year = new Date(now).getUTCFullYear()
  const isSane = year >= 2025 && year < 2100
  const message = Number.isFinite(year) ? new Date(now).toISOString() : String(now)
  return { name: 'clock', status: isSane ? 'ok' : 'fail', message, help: 'set the clock of this machine (NTP)' }
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export async function checkStorage(): Promise<Check> {
  try {
    const database = (await openStores({ dir: '.' }, silent)).open(':memory:')
    const { driver } = database
    database.close()
    return { name: 'sqlite', status: 'ok', message: driver }
  } catch (error) {
    const help = 'npm rebuild better-sqlite3, or use Node 22.13 or newer, which has SQLite built in'
    return { name: 'sqlite', status: 'fail', message: error instanceof Error ? error.message : String(error), help }
  }
}

/** The database of `store.url`, where the config names one. */
export async function checkDatabase(store: GatewayConfig['store']): Promise<readonly Check[]> {
  const database = (await openStores(store, silent)).postgres()
  if (database === undefined) return []
  const name = 'database'
  try {
    await database.query('SELECT 1')
    return [{ name, status: 'ok', message: database.name }]
  } catch (error) {
    const message = `${database.name}: ${error instanceof Error ? error.message : String(error)}`
    return [{ name, status: 'fail', message, help: 'start it, or mend store.url; a call that cannot be recorded is refused' }]
  } finally {
    await database.close()
  }
}

/** The server of `store.redis`, where the config names one. */
export async function checkRedis(store: GatewayConfig['store']): Promise<readonly Check[]> {
  const redis = (await openStores(store, silent)).redis()
  if (redis === undefined) return []
  await redis.connect()
  const { isUp, why } = redis.state
  await redis.close()
  const name = 'redis'
  if (isUp) return [{ name, status: 'ok', message: redis.name }]
  return [
    {
      name,
      status: 'warn',
      message: `${redis.name}: ${why}`,
      help: 'start it, or mend store.redis; meanwhile each gateway counts by itself',
    },
  ]
}

export async function checkDataDir(dir: string): Promise<Check> {
  const name = 'data directory'
  const existing = await nearestExisting(dir)
  const isWritable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  )
  const found = await stat(existing)
  if (!found.isDirectory())
    return { name, status: 'fail', message: `${existing} is not a directory`, help: 'choose another with --data-dir' }
  if (!isWritable)
    return {
      name,
      status: 'fail',
      message: `${existing} is not writable`,
      help: `chown it to this user, or choose another with --data-dir`,
    }
  if (existing !== dir) return { name, status: 'ok', message: `${dir} will be created` }
  const stranger = strangerOf(found)
  if (stranger !== undefined) return { name, status: 'fail', message: `${dir} ${stranger}`, help: `chown it to one of them` }
  const isShared = process.platform !== 'win32' && (found.mode & 0o077) !== 0
  const message = isShared ? `${dir} can be read by other users` : dir
  return { name, status: isShared ? 'warn' : 'ok', message, help: `chmod 700 ${dir}` }
}

export async function checkDisk(dir: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearestExisting(dir))
  const megabytes = Math.floor((bavail * bsize) / 1024 ** 2)
  const status = megabytes < 100 ? 'fail' : megabytes < 1024 ? 'warn' : 'ok'
  return {
    name: 'disk',
    status,
    message: `${megabytes} MB free`,
    help: 'the audit record needs room: a call that cannot be recorded is refused',
  }
}

export async function checkPort({ host, port }: ListenConfig): Promise<Check> {
  const at = `${host}:${port}`
  const code = await new Promise<string | undefined>(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
  if (code === undefined) return { name: 'port', status: 'ok', message: `${at} is free` }
  const inUse = code === 'EADDRINUSE'
  const help = inUse
    ? 'a gateway may be running already; another port: --http 127.0.0.1:PORT'
    : 'choose another address with --http HOST:PORT'
  return { name: 'port', status: inUse ? 'warn' : 'fail', message: inUse ? `${at} is in use` : `cannot listen on ${at} (${code})`, help }
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path))
}
