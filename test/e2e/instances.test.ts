// Several instances of one server, each a process: one is killed under load, one becomes slow, and no call fails but those that were under way there.
import { expect, test } from 'vitest'
import { INSTANCE, startInstance, startLoad } from './instances.ts'
import { createFolder, isBuilt, readHealth, type ShownServer, startProduct, untilHealth } from './product.ts'
import { openSession } from './rpc.ts'

const CALLERS = 12

function sessionsAt(origin: string) {
  return Promise.all(Array.from({ length: CALLERS }, () => openSession(origin)))
}

test.runIf(isBuilt).each([
  ['without sessions', { ERA: 'modern' }, {}],
  ['with sessions that are shared', {}, { shared: true }],
] as const)(
  'of three instances %s one is killed and one is slow: no call fails but those under way at the killed one, and both come back',
  async (_, env, more) => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(name => startInstance(name, env)))
    const server = { id: 'up', instances: [a!.url, b!.url, c!.url], timeout: '20s', ...more }
    const product = await startProduct({ dir: createFolder(), config: { servers: [server] } })
    const load = startLoad(await sessionsAt(product.origin), 'up__who')
    await load.untilHeard('a', 'b', 'c')

    await c!.slow(2000)
    await product.hears('much longer than those of the others')
    const leftOut = performance.now()

    await b!.kill()
    const killed = performance.now()
    await load.untilHeard('a')
    await product.hears('"instance":2,"why":"it cannot be reached"')
    const noticed = performance.now()
    await load.untilHeard('a')

    const failed = load.heard.filter(({ who }) => who === undefined)
    // Invariant of the test: whoever had not begun when it was killed has been answered by another.
    expect(failed.filter(({ began }) => began > killed)).toEqual([])
    expect(failed.length).toBeLessThan(CALLERS)
    expect(load.heard.filter(({ who, began }) => who === 'c' && began > leftOut + 100)).toEqual([])

    await c!.slow(0)
    await b!.restart()
    await load.untilHeard('a', 'b', 'c')
    await load.stop()
    expect(load.heard.filter(({ who, began }) => who === undefined && began > noticed)).toEqual([])
    const { servers } = await readHealth(product.origin)
    expect(servers.map(({ server, instance, state }) => [server, instance, state])).toEqual([1, 2, 3].map(one => ['up', one, 'ready']))
  },
  60_000,
)

test.runIf(isBuilt)('whoever has a session stays with one instance, and goes to another when that one is killed', async () => {
  const all = await Promise.all(['a', 'b', 'c'].map(name => startInstance(name)))
  const product = await startProduct({
    dir: createFolder(),
    config: { servers: [{ id: 'up', instances: all.map(({ url }) => url), balance: 'round-robin' }] },
  })
  const load = startLoad(await sessionsAt(product.origin), 'up__who')
  await load.untilDifferent(1)
  const [first] = new Set(load.heard.map(({ who }) => who))
  expect(new Set(load.heard.map(({ who }) => who))).toEqual(new Set([first]))

  await all.find(({ name }) => name === first)!.kill()
  const killed = performance.now()
  await product.hears('it cannot be reached')
  await load.stop()
  expect(load.heard.filter(({ who, began }) => who === undefined && began > killed)).toEqual([])
  expect(new Set(load.heard.filter(({ began }) => began > killed).map(({ who }) => who)).size).toBe(1)
})

test.runIf(isBuilt)(
  'processes of one command share the calls; of one that is killed only what was under way is lost, and it is started again',
  async () => {
    const server = { id: 'up', command: process.execPath, args: [INSTANCE], env: { STDIO: '1' }, shared: true, instances: 3 }
    const product = await startProduct({ dir: createFolder(), config: { servers: [{ ...server, balance: 'round-robin' }] } })
    const load = startLoad(await sessionsAt(product.origin), 'up__who')
    const { servers } = await untilHealth(product.origin, health => health.servers.every(({ state }) => state === 'ready'))
    const pids = servers.map(one => one.pids[0]!)
    await load.untilDifferent(3)

    process.kill(pids[1]!, 'SIGKILL')
    const isBack = (one: ShownServer): boolean => one.state === 'ready' && one.pids[0] !== pids[1]
    const { servers: after } = await untilHealth(product.origin, health => health.servers.every(isBack))
    await load.untilDifferent(4)
    await load.stop()
    const failed = load.heard.filter(({ who }) => who === undefined)
    expect(failed.length).toBeLessThan(CALLERS)
    const shown = after.map(({ server: id, instance, restarts }) => [id, instance, restarts])
    expect(shown).toEqual([1, 2, 3].map(one => ['up', one, one === 2 ? 1 : 0]))
    const metrics = await (await fetch(`${product.origin}/metrics`)).text()
    expect(metrics).toContain('mcpgw_server_breaker{server="up",server_instance="3"} 0')
  },
  30_000,
)
