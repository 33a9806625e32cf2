// Whatever ends the gateway, no process of a server outlives it by long, however it is related to the server.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, readHealth, serverIn, startProduct } from '../e2e/product.ts'
import { openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { descendantsOf, isAlive, running, textOf, untilGone, untilReaped } from './processes.ts'

const PROMISED_MS = 5000
const isolations = ['namespace', 'group'] as const
type Isolation = (typeof isolations)[number]

interface Started {
  readonly product: Product
  /** Everything that the gateway has started, and what that has started. */
  readonly family: readonly number[]
  /** Of those, the server and what it has started. */
  readonly servers: readonly number[]
}

async function start(dir: string, manner: string, isolation: Isolation): Promise<Started> {
  const odd = { id: 'odd', ...oddServer(manner), isolation: isolation === 'group' ? 'group' : 'auto' }
  const product = await startProduct({ dir, config: { servers: [odd], plugins: ['audit'] } })
  textOf(await (await openSession(product.origin)).call('odd__pid'))
  expect(serverIn(await readHealth(product.origin), 'odd')).toMatchObject({ isolation })
  // In a namespace, what has lost its parents is taken up by the first process in it, which is among the descendants.
  const family = descendantsOf(product.pid)
  const servers = running('odd-mcp-server', family)
  expect(running('stubborn', servers)).toHaveLength(manner === 'well' ? 0 : 1)
  return { product, family, servers }
}

async function goneInTime(pids: readonly number[], since: number): Promise<void> {
  await untilGone(pids)
  expect(performance.now() - since).toBeLessThan(PROMISED_MS)
}

// The wrapper stays with what it started and ignores SIGTERM; the leaver ends with its input and leaves its child in the group; the
// deserter's child has a session of its own; the daemon has in addition no living parent.
const manners = [
  ...isolations.flatMap(isolation => ['wrapper', 'leaver', 'deserter'].map(manner => [isolation, manner] as const)),
  ['namespace', 'daemon'] as const,
]

describe.skipIf(!isBuilt || process.platform !== 'linux')('no server process is left', () => {
  test.each(manners)('after kill -9 of the gateway: %s, %s', async (isolation, manner) => {
    const { product, family, servers } = await start(createFolder(), manner, isolation)
    expect(servers.every(isAlive)).toBe(true)
    const killed = performance.now()
    product.signal('SIGKILL')
    await product.exited
    await goneInTime(family, killed)
  })

  test.each(manners)('after SIGTERM: %s, %s', async (isolation, manner) => {
    const { product, family } = await start(createFolder(), manner, isolation)
    const asked = performance.now()
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    await goneInTime(family, asked)
  })

  test('after SIGTERM where six servers end neither with their input nor at SIGTERM', async () => {
    const servers = Array.from({ length: 6 }, (_, n) => ({ id: `odd${n}`, ...oddServer('wrapper'), isolation: n % 2 ? 'group' : 'auto' }))
    const product = await startProduct({ dir: createFolder(), config: { servers, plugins: ['audit'] } })
    const session = await openSession(product.origin)
    for (const { id } of servers) await session.call(`${id}__pid`)
    const family = descendantsOf(product.pid)
    const asked = performance.now()
    expect(await product.stop()).toEqual({ code: 0, signal: null })
    await goneInTime(family, asked)
  })
})

describe.skipIf(!isBuilt || process.platform !== 'linux')('after kill -9 of the gateway and of its warden', () => {
  test.each(['wrapper', 'leaver', 'deserter'])('the next start ends the %s and what it started', async manner => {
    const dir = createFolder()
    const { product, family, servers } = await start(dir, manner, 'group')
    const [warden] = running('mcpgw-warden', family)
    // A deserter is noted at the next look at its family.
    if (manner === 'deserter') await noted(dir, running('stubborn', servers)[0]!)
    product.signal('SIGSTOP')
    process.kill(warden!, 'SIGKILL')
    product.signal('SIGKILL')
    await product.exited
    const orphans = running('stubborn', servers)
    if (manner === 'leaver') await untilReaped(servers.find(pid => !orphans.includes(pid))!)
    expect(orphans.filter(isAlive)).toHaveLength(1)

    const second = await startProduct({ dir, config: { servers: [{ id: 'odd', ...oddServer() }], plugins: ['audit'] } })
    await untilGone(servers)
    await second.stop()
  })
})

async function noted(dir: string, pid: number): Promise<void> {
  const { readdirSync, readFileSync } = await import('node:fs')
  const run = `${dir}/.mcpgw/run`
  const isNoted = (): boolean => readdirSync(run).some(name => readFileSync(`${run}/${name}`, 'utf8').includes(`"strays":[{"pid":${pid},`))
  while (!isNoted()) await new Promise(resolve => setTimeout(resolve, 20))
}
