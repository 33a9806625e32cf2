// A server that does not start, talks nonsense, floods, dies or never answers, beside a good one: the good one works, the caller is told in time.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, readHealth, runCli, serverIn, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { textOf } from './processes.ts'

const START_MS = 600
const CALL_MS = 500
/** How long a test allows for what the product promises within its limits. */
const GENEROUS_MS = 4000
const timeout = { start: `${START_MS}ms`, call: `${CALL_MS}ms` }

function configWith(bad: object): object {
  return {
    servers: [
      { id: 'good', ...oddServer() },
      { id: 'bad', ...oddServer(), timeout, ...bad },
    ],
    plugins: ['audit', 'redact'],
  }
}

/** The code, and that it came in time. */
async function failing(work: Promise<unknown>): Promise<string | undefined> {
  const began = performance.now()
  const code = codeOf(await work)
  expect(performance.now() - began).toBeLessThan(GENEROUS_MS)
  return code
}

describe.skipIf(!isBuilt)('beside a good server', () => {
  test.each([
    ['that cannot be found', { command: 'no-such-command-anywhere', args: [] }, 'cannot start no-such-command-anywhere: ENOENT'],
    ['that ends at once', oddServer('exits'), 'exited with code 1'],
    ['that never answers at its start', oddServer('mute'), `not ready ${START_MS} ms after its start`],
    ['that prints no JSON', oddServer('chatter'), ''],
  ])('one %s', async (_, bad, why) => {
    const dir = createFolder()
    const config = configWith(bad)
    const product = await startProduct({ dir, config })
    const session = await openSession(product.origin)
    expect(await failing(session.call('bad__echo'))).toBe('upstream-unavailable')
    expect(textOf(await session.call('good__echo', { still: 'here' }))).toEqual({ still: 'here' })
    const { tools } = (await session.ask('tools/list')).result as { tools: { name: string }[] }
    expect(tools.map(tool => tool.name)).toContain('good__echo')
    expect(tools.filter(tool => tool.name.startsWith('bad__'))).toEqual([])

    const health = await untilHealth(product.origin, seen => serverIn(seen, 'bad').lastFailure !== undefined)
    expect(serverIn(health, 'good').state).toBe('ready')
    expect(['backoff', 'failed', 'starting']).toContain(serverIn(health, 'bad').state)
    expect(serverIn(health, 'bad').lastFailure).toContain(why)
    expect(health.status).toBe('degraded')
    const status = runCli(['servers', 'status', '--json', '--config', askingFile(dir, config, product)], dir)
    expect(status.code, status.err).toBe(1)
    const shown = JSON.parse(status.out) as { ok: boolean; source: string; servers: { server: string; state: string }[] }
    expect(shown).toMatchObject({ ok: false, source: 'the running gateway' })
    expect(shown.servers.map(one => one.server)).toEqual(['good', 'bad'])
  })

  test('one that never answers a call: the call ends at its time limit, the next one works', async () => {
    const product = await startProduct({ dir: createFolder(), config: configWith(oddServer()) })
    const session = await openSession(product.origin)
    const hanging = failing(session.call('bad__hang'))
    expect(textOf(await session.call('bad__echo', { meanwhile: 1 }))).toEqual({ meanwhile: 1 })
    expect(textOf(await session.call('good__echo', { meanwhile: 2 }))).toEqual({ meanwhile: 2 })
    expect(await hanging).toBe('upstream-timeout')
    expect(textOf(await session.call('bad__echo', { afterwards: 3 }))).toEqual({ afterwards: 3 })
  })

  test('one that dies at each call is told each time and comes back each time', async () => {
    const product = await startProduct({ dir: createFolder(), config: configWith(oddServer()) })
    const session = await openSession(product.origin)
    for (const [restarts, tool] of ['bad__die', 'bad__exit'].entries()) {
      expect(await failing(session.call(tool))).toBe('upstream-crashed')
      expect(textOf(await session.call('good__echo', { restarts }))).toEqual({ restarts })
      await untilHealth(product.origin, seen => serverIn(seen, 'bad').state === 'ready' && serverIn(seen, 'bad').restarts === restarts + 1)
    }
    expect(textOf(await session.call('bad__echo', { back: true }))).toEqual({ back: true })
  })

  test('one that prints garbage between its answers is still heard', async () => {
    const product = await startProduct({ dir: createFolder(), config: configWith(oddServer()) })
    const session = await openSession(product.origin)
    expect(textOf(await session.call('bad__garbage'))).toBe('after the garbage')
    expect(textOf(await session.call('good__echo', { fine: true }))).toEqual({ fine: true })
  })

  test('one that reads no more: what waits for it is bounded, each call ends in time, the other server is unaffected', async () => {
    const product = await startProduct({ dir: createFolder(), config: configWith(oddServer()) })
    const session = await openSession(product.origin)
    await session.call('bad__unread')
    const before = residentBytes(product.pid)
    const padding = 'x'.repeat(1024 * 1024)
    const codes = new Set<string | undefined>()
    // 96 MiB in all, of which 32 fit into the queue. What has been read by then is answered.
    for (let round = 0; round < 12; round++) {
      const calls = Array.from({ length: 8 }, () => failing(session.call('bad__echo', { padding })))
      expect(textOf(await session.call('good__echo', { round }))).toEqual({ round })
      for (const code of await Promise.all(calls)) codes.add(code)
    }
    codes.delete(undefined)
    for (const code of codes) expect(['upstream-timeout', 'upstream-unavailable', 'upstream-crashed', 'upstream-busy']).toContain(code)
    expect(residentBytes(product.pid) - before).toBeLessThan(300 * 1024 * 1024)
    expect(textOf(await session.call('good__echo', { fine: true }))).toEqual({ fine: true })
  })

  test.each(['deaf', 'silent'])('one that closes a pipe (%s) is told like one that ended, and comes back', async tool => {
    const product = await startProduct({ dir: createFolder(), config: configWith({ timeout: {} }) })
    const session = await openSession(product.origin)
    const waiting = failing(session.call('bad__hang'))
    const last = session.call(`bad__${tool}`)
    expect(await waiting).toBe('upstream-crashed')
    await last
    await untilHealth(product.origin, seen => serverIn(seen, 'bad').state === 'ready' && serverIn(seen, 'bad').restarts === 1)
    expect(textOf(await session.call('bad__echo', { back: true }))).toEqual({ back: true })
    expect(textOf(await session.call('good__echo', { fine: true }))).toEqual({ fine: true })
  })

  test('one that ends at its start, however often it is called: started a few times, and back by itself once it is mended', async () => {
    const dir = createFolder()
    const mended = join(dir, 'mended')
    const broken = oddServer('broken')
    const product = await startProduct({ dir, config: configWith({ ...broken, args: [...broken.args, mended], timeout: {} }) })
    const session = await openSession(product.origin)
    for (let call = 0; call < 200; call++) expect(codeOf(await session.call('bad__echo'))).toBe('upstream-unavailable')
    expect(textOf(await session.call('good__echo', { fine: true }))).toEqual({ fine: true })
    const starts = (): number =>
      readRecords(dir).filter(({ type, detail }) => /^server\.(re)?start$/.test(String(type)) && detail?.server === 'bad').length
    writeFileSync(mended, '')
    await untilHealth(product.origin, seen => serverIn(seen, 'bad').state === 'ready')
    expect(textOf(await session.call('bad__echo', { back: true }))).toEqual({ back: true })
    await product.stop()
    expect(starts()).toBeGreaterThan(1)
    expect(starts()).toBeLessThanOrEqual(10)
  })

  test('one that floods stderr is heard, holds nobody up, and fills neither memory nor the log', async () => {
    const product = await startProduct({ dir: createFolder(), config: configWith({ ...oddServer('floods'), timeout: {} }) })
    const session = await openSession(product.origin)
    const before = residentBytes(product.pid)
    for (let round = 0; round < 50; round++) {
      expect(textOf(await session.call('bad__flood'))).toBe('after the flood')
      expect(textOf(await session.call('good__echo', { round }))).toEqual({ round })
    }
    // 50 x 200 x 64 KiB were written.
    expect(residentBytes(product.pid) - before).toBeLessThan(100 * 1024 * 1024)
    expect(product.said().length).toBeLessThan(4 * 1024 * 1024)
    expect((await readHealth(product.origin)).status).toBe('ok')
  })
})

/** The same config with the address at which the gateway can be asked. */
function askingFile(dir: string, config: object, { origin }: Product): string {
  writeFileSync(join(dir, 'asking.yaml'), JSON.stringify({ ...config, listen: new URL(origin).host }))
  return 'asking.yaml'
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
