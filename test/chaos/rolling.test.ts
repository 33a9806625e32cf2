// A rolling upgrade: gateways on one database are replaced one after the other under load, by SIGTERM, for clients that go to another one when told.
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, startProduct } from '../e2e/product.ts'
import { oddServer } from '../e2e/servers.ts'
import { endsOf, readRecords } from '../postgres/records.ts'
import { createDatabase, server } from '../postgres/server.ts'
import { startMixed } from './mixed-calls.ts'

describe.skipIf(!isBuilt || server === undefined)('gateways that are replaced one after the other under load', () => {
  test('no call fails, none that was let in is lost, and none is let in twice', async () => {
    const url = await createDatabase()
    const signingKey = join(createFolder(), 'signing-key')
    const dirs: string[] = []
    async function start(): Promise<Product> {
      const dir = createFolder()
      dirs.push(dir)
      const config = {
        servers: ['odd', 'twin'].map(id => ({ id, ...oddServer() })),
        plugins: [{ audit: { signingKey } }],
        store: { dir: join(dir, '.mcpgw'), url },
      }
      return startProduct({ dir, config })
    }
    let running = [await start(), await start()]
    const load = startMixed({
      origins: () => running.map(({ origin }) => origin),
      prefix: 'call',
      kinds: ['plain', 'slow', 'twin', 'list'],
      perSecond: 40,
      retries: 3,
    })
    for (const old of Array.from(running)) {
      await load.answers(40)
      running = [...running, await start()]
      await load.answers(20)
      old.signal('SIGTERM')
      expect(await old.exited).toEqual({ code: 0, signal: null })
      // Until here it was asked like the others.
      running = running.filter(one => one !== old)
    }
    await load.answers(40)
    await load.end()
    for (const product of running) expect(await product.stop()).toEqual({ code: 0, signal: null })
    console.info(`${load.sent()} requests, ${load.retried()} of them made again elsewhere`)

    expect([...load.failed]).toEqual([])
    // Each reads what itself wrote.
    const names: string[] = []
    for (const dir of dirs) {
      const records = await readRecords(dir, url)
      expect([...endsOf(records).values()].filter(outcome => outcome !== 'answered')).toEqual([])
      names.push(...records.filter(({ type, args }) => type === 'intent' && args?.name !== undefined).map(({ args }) => String(args?.name)))
    }
    expect(names.toSorted()).toEqual([...load.answered.keys()].toSorted())
    expect(new Set(names.map(name => name.split('~')[0])).size).toBe(names.length)
  }, 300_000)
})
