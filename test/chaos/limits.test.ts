// A fork bomb and a memory hog under limits (case 43): killed whole and on record, while the gateway and the other server go on.
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, serverIn, startProduct, untilHealth } from '../e2e/product.ts'
import { readRecords } from '../e2e/records.ts'
import { codeOf, openSession } from '../e2e/rpc.ts'
import { oddServer } from '../e2e/servers.ts'
import { allProcesses, descendantsOf, running, textOf, untilGone } from './processes.ts'

const bombed = (limit: number) => new RegExp(`ran \\d+ processes; its limit is ${limit}; it was killed`)
const hog = { tool: 'hog', args: {}, limits: { memory: '256MiB' }, why: /took \d+ MiB of memory; its limit is 256 MiB; it was killed/ }
/** In a namespace the kernel bounds a bomb of thousands; where it does not, a smaller one will do. */
const cases = [
  { isolation: 'namespace', tool: 'bomb', args: { generations: 11 }, limits: { processes: 20 }, why: bombed(20) },
  { isolation: 'namespace', tool: 'bomb', args: { generations: 11, sessions: true }, limits: { processes: 20 }, why: bombed(20) },
  { isolation: 'namespace', ...hog },
  { isolation: 'group', tool: 'bomb', args: { generations: 7 }, limits: { processes: 60 }, why: bombed(60) },
  { isolation: 'group', tool: 'bomb', args: { generations: 7, sessions: true }, limits: { processes: 60 }, why: bombed(60) },
  { isolation: 'group', ...hog },
]
/** Words of its script. */
const BOMB = 'sleep 20; }; f'

describe.skipIf(!isBuilt || process.platform !== 'linux')('a server over its limits', () => {
  test.each(cases)('is killed whole and recorded: $tool, $isolation, $args', async ({ isolation, tool, args, limits, why }) => {
    const dir = createFolder()
    const bad = { id: 'bad', ...oddServer(), limits, isolation: isolation === 'group' ? 'group' : 'auto' }
    const product = await startProduct({ dir, config: { servers: [bad, { id: 'good', ...oddServer() }], plugins: ['audit'] } })
    const session = await openSession(product.origin)
    textOf(await session.call('bad__echo'))

    let isOver = false
    const ended = session.call(`bad__${tool}`, args).finally(() => {
      isOver = true
    })
    for (let round = 0; !isOver; round++) expect(textOf(await session.call('good__echo', { round }))).toEqual({ round })
    expect(codeOf(await ended)).toBe('upstream-crashed')

    const health = await untilHealth(product.origin, seen => serverIn(seen, 'bad').state === 'ready')
    expect(serverIn(health, 'bad')).toMatchObject({ restarts: 1, isolation, lastFailure: expect.stringMatching(why) })
    expect(textOf(await session.call('bad__echo', { back: true }))).toEqual({ back: true })
    // Long before it would have ended by itself.
    await untilGone(running(BOMB, allProcesses()))
    const survivors = descendantsOf(product.pid)
    await product.stop()
    const exits = readRecords(dir).filter(record => record.type === 'server.exit' && record.detail?.server === 'bad')
    expect(exits[0]?.detail).toMatchObject({ expected: false, detail: expect.stringMatching(why) })
    await untilGone(survivors)
  })
})
