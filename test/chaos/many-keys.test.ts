// Very many keys: one that changes costs what one costs, on this gateway and on a second, from a file and from a database.
// MCPGW_CHAOS=full has 100,000 keys, and prints how soon a change is seen and how long nothing else could run.
import { createSecretKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createStores } from '../../core/store/index.ts'
import { createEndings } from '../../plugins/auth/endings.ts'
import { createKeptKeys } from '../../plugins/auth/kept-keys.ts'
import { openSharedStore } from '../../plugins/auth/shared-store.ts'
import { openKeyStore } from '../../plugins/auth/store.ts'
import { connectHttp, type Streaming } from '../core/data-plane/clients.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { countRows, fillDatabase, fillFile } from '../plugins/auth/many-keys.ts'
import { createDatabase, server } from '../postgres/server.ts'

const IS_LONG = process.env.MCPGW_CHAOS === 'full'
const MANY = IS_LONG ? 100_000 : 5000
const MINUTES = 60_000
const by = { id: 'cli:tester' }

const tell = (text: string): void => {
  if (IS_LONG) console.info(text)
}

describe.each(server === undefined ? ['file'] : ['file', 'database'])('very many keys in a %s', where => {
  const urlOf = async (): Promise<string | undefined> => (where === 'database' ? await createDatabase() : undefined)

  test(
    'are read once; revoking one reads two rows, however many there are',
    async () => {
      const dir = createFolder()
      const url = await urlOf()
      const { stores, rows } = countRows(createStores({ dataDir: dir, ...(url !== undefined && { url }) }))
      const store = url === undefined ? openKeyStore(stores, 'keys.db') : await openSharedStore(stores.postgres()!)
      await (url === undefined ? fillFile(stores, MANY) : fillDatabase(url, MANY))
      const endings = createEndings({
        expel: () => ({ sessions: 0, requests: 0 }),
        find: () => undefined,
        log: { debug() {}, info() {}, error() {}, warn() {} },
      })
      const pepper = createSecretKey(Buffer.alloc(32, 1))
      const clock = { now: Date.now, mono: () => performance.now(), after: () => () => {} }
      const kept = createKeptKeys({ store, pepper }, [], endings, clock)

      const delay = monitorEventLoopDelay({ resolution: 1 })
      const longest = async (work: () => Promise<void>): Promise<string> => {
        await sleep(50)
        delay.enable()
        await sleep(20)
        delay.reset()
        const began = performance.now()
        await work()
        const took = performance.now() - began
        await sleep(20)
        delay.disable()
        return `${took.toFixed(1)} ms, longest block ${(delay.max / 1e6).toFixed(1)} ms`
      }
      tell(`${where}: all ${MANY} keys are read in ${await longest(async () => void (await kept.refresh()))}`)
      expect(rows.read).toBeGreaterThanOrEqual(MANY)
      for (let n = 1; n <= 20; n++) {
        await store.revoke(`many${n}`, Date.now(), by)
        const before = rows.read
        const figures = await longest(async () => {
          expect(await kept.refresh()).toBe(true)
          endings.look(Date.now())
        })
        expect(rows.read - before).toBe(2)
        if (n === 20) tell(`${where}: one change is taken over in ${figures}`)
      }
      const before = rows.read
      for (let n = 0; n < 20; n++) expect(await kept.refresh()).toBe(false)
      expect(rows.read - before).toBe(20)
      await store.close()
    },
    10 * MINUTES,
  )

  test.skipIf(!isBuilt)(
    'do not keep one that is revoked from ending what is open under it, on both gateways',
    async () => {
      const [dir, second] = [createFolder(), createFolder()]
      const url = await urlOf()
      const [path, pepper] = ['keys.db', 'keys.pepper'].map(name => join(dir, '.mcpgw', name)) as [string, string]
      const config = {
        servers: [{ id: 'odd', ...oddServer() }],
        plugins: ['audit', { auth: { keys: { pepper, ...(url === undefined ? { path } : { shared: true }) } } }],
        ...(url !== undefined && { store: { url } }),
      }
      const stores = createStores({ dataDir: join(dir, '.mcpgw'), ...(url !== undefined && { url }) })
      writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
      const made = Array.from({ length: IS_LONG ? 10 : 3 }, (_, n) => {
        const { code, out, err } = runCli(['keys', 'create', `Agent ${n}`, `agent-${n}`, '--json'], dir)
        expect(code, err).toBe(0)
        return JSON.parse(out) as { id: string; key: string }
      })
      const first = await startProduct({ dir, config })
      // One gateway has them come while it runs, as an import would have it, and one starts with them.
      await (url === undefined ? fillFile(stores, MANY) : fillDatabase(url, MANY))
      const products = [first, await startProduct({ dir: second, config })]

      const store = url === undefined ? openKeyStore(stores, 'keys.db') : await openSharedStore(stores.postgres()!)
      const times: number[] = []
      for (const { id, key } of made) {
        const streams = await Promise.all(products.map(product => openStream(product, key)))
        let since = Number.POSITIVE_INFINITY
        const ends = streams.map(({ done }) => done.then(() => performance.now() - since))
        await store.revoke(id, Date.now(), by)
        since = performance.now()
        times.push(...(await Promise.all(ends)))
      }
      await store.close()
      // Both were open until then.
      expect(times.filter(time => Number.isFinite(time))).toHaveLength(2 * made.length)
      tell(
        `${where}: of ${MANY} keys one is revoked, and its streams on two gateways end after ${times.map(time => time.toFixed(0)).join(', ')} ms`,
      )
      for (const product of products) expect(await product.stop()).toEqual({ code: 0, signal: null })
    },
    10 * MINUTES,
  )
})

async function openStream({ origin }: Product, key: string): Promise<Streaming> {
  const gateway = { port: Number(new URL(origin).port) } as Parameters<typeof connectHttp>[0]
  const stream = await (await connectHttp(gateway, { headers: { authorization: `Bearer ${key}` } })).listen()
  expect(stream.status).toBe(200)
  return stream
}
