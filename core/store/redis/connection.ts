// One connection to a Redis server, that has proven that it can do what is asked of it, and tells once when it is of no use any more.
import { clientOptions } from './address.ts'
import { createWatchdog, SILENT_MS } from './watchdog.ts'

const CONNECT_MS = 2000
/** Replies that say of the server, not of the script, that it is of no use now. */
const UNFIT = /^(READONLY|LOADING|MASTERDOWN|NOAUTH|WRONGPASS|OOM|MISCONF|CLUSTERDOWN|NOREPLICAS|BUSY)\b/
const PROBE = `redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('TIME')`

export interface Connection {
  /** Rejects with what the server says, or where it says nothing in time: then the connection is lost. */
  send(words: readonly string[]): Promise<unknown>
  close(): Promise<void>
}

/** `onLost` is called once, unless it is closed before. Rejects where the server is not there or may not run scripts that write. */
export async function connect(url: string, onLost: (why: string) => void): Promise<Connection> {
  const { createClient, ErrorReply } = await import('@redis/client')
  const client = createClient(clientOptions(url))
  let over: string | undefined
  let isReady = false
  const lose = (why: string): void => {
    if (over !== undefined) return
    over = why
    watchdog.stop()
    // What waits is rejected by that.
    if (client.isOpen) client.destroy()
    if (isReady) onLost(why)
  }
  const watchdog = createWatchdog(ms => lose(`no answer within ${ms} ms`))
  client.on('error', (error: Error) => {
    if (isReady) lose(describe(error))
  })
  client.on('end', () => {
    if (isReady) lose('it has closed the connection')
  })

  async function send(words: readonly string[]): Promise<unknown> {
    watchdog.sent()
    try {
      return await client.sendCommand(words)
    } catch (error) {
      const why = over ?? describe(error)
      if (!(error instanceof ErrorReply) || UNFIT.test(why)) lose(why)
      throw new Error(why)
    } finally {
      watchdog.answered()
    }
  }

  try {
    await within(CONNECT_MS, client.connect())
    // One that is always too slow is gone, not back again each time.
    await send(['EVAL', PROBE, '1', 'mcpgw:probe'])
    isReady = true
  } catch (error) {
    const why = describe(error)
    lose(why)
    throw new Error(why)
  }
  return {
    send,
    async close() {
      if (over !== undefined) return
      over = 'closed'
      watchdog.stop()
      // What is under way may still be answered.
      await within(SILENT_MS, client.close()).catch(() => {})
      if (client.isOpen) client.destroy()
    },
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    timer.unref()
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Codes of the driver say more than the empty messages of the errors that Node.js gathers for several addresses. */
function describe(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string }
  return message === undefined || message === '' ? (code ?? String(error)) : message
}
