// One tenant learns nothing of another: not by any request, route, stream or command, whatever the other has done and whatever of it is known.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Ask, asks, type Known } from './tenants-asks.ts'
import { countsIn, readsOf } from './tenants-commands.ts'
import { type Act, act, liveFirst } from './tenants-first.ts'
import { enterOther } from './tenants-other.ts'
import { COMMANDS, OPERATIONS } from './tenants-paths.ts'
import { startWorld, type World } from './tenants-world.ts'

const runs = Number(process.env.FUZZ_RUNS ?? (process.env.CI === undefined ? 3 : 25))
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const newCanary = (): string => `zq${randomBytes(5).toString('hex')}`

/** What servers say outside of calls, while the other tenant listens: of what the first one did. */
function tell({ upstreams, names }: World): void {
  const said = [
    { method: 'notifications/message', params: { level: 'alert', data: `of ${names.canary}` } },
    { method: 'notifications/resources/updated', params: { uri: `x:of-${names.canary}` } },
    { method: 'notifications/tasks/status', params: { taskId: `wiki-0-plans-${names.canary}`, status: 'completed' } },
    { method: 'notifications/progress', params: { progressToken: `progress-${names.canary}`, progress: 1 } },
    { method: `x/${names.canary}`, params: {} },
  ]
  for (const { method, params } of said) {
    const text = JSON.stringify({ jsonrpc: '2.0', method, params })
    upstreams.own.tell(text)
    upstreams.wiki.tell(text)
  }
}

interface Lived {
  readonly worlds: readonly [World, World]
  /** Of the first world: to the second one it is nothing. */
  readonly known: Known
  close(): void
}

/** The first one has asked for what the other one will. */
const same: Act = { kind: 'call', server: 'docs', tool: 'look' }

async function live(lives: readonly (readonly Act[])[]): Promise<Lived> {
  const worlds = await Promise.all([startWorld(newCanary()), startWorld(newCanary())])
  const lived = await Promise.all(worlds.map((world, at) => liveFirst(world, [...lives[at]!, same])))
  return {
    worlds,
    known: { ...worlds[0].names, ...lived[0]!.held },
    close: () => {
      for (const one of lived) one.close()
    },
  }
}

/** All that the other one gets in both worlds, who asks the same in each. */
async function askBoth(
  { worlds, known }: Lived,
  asked: readonly Ask[],
): Promise<{ readonly answers: readonly (readonly [Ask, string, string])[]; readonly heard: readonly string[] }> {
  const [here, there] = await Promise.all([enterOther(worlds[0], known), enterOther(worlds[1], known)])
  const answers: [Ask, string, string][] = []
  for (const [at, ask] of asked.entries()) {
    if (at % 8 === 0) worlds.forEach(tell)
    const [one, other] = await Promise.all([here.ask(ask), there.ask(ask)])
    answers.push([ask, one, other])
  }
  const heard = [here.heard(), there.heard()]
  for (const one of [here, there]) one.close()
  return { answers, heard }
}

const sure: readonly Ask[] = [
  { kind: 'session', path: '/mcp', method: 'tools/list', params: {} },
  { kind: 'visit', path: '/mcp', method: 'server/discover', params: {} },
  { kind: 'visit', path: '/mcp', method: 'tools/call', params: { name: 'wiki__look', arguments: { about: 'me' } } },
  { kind: 'session', path: '/mcp', method: 'tools/call', params: { name: 'vault__look', arguments: { about: 'me' } } },
  { kind: 'session', path: '/mcp', method: 'tools/call', params: { name: 'docs__look', arguments: { about: 'me' } } },
  { kind: 'plain', method: 'POST', path: '/tools/docs__look/call', query: '', body: '{"arguments":{"about":"me"}}' },
  { kind: 'plain', method: 'GET', path: '/servers', query: '', body: '' },
  { kind: 'plain', method: 'GET', path: '/audit/log', query: 'type=outcome', body: '' },
  { kind: 'plain', method: 'GET', path: '/usage', query: 'by=server&by=tool', body: '' },
  { kind: 'plain', method: 'GET', path: '/keys', query: '', body: '' },
]

test(`the other tenant gets the same whatever the first one has done (${runs} worlds, FUZZ_SEED=${seed})`, {
  timeout: 60_000 + runs * 60_000,
}, async () => {
  const life = fc.array(act, { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.tuple(life, life), asks, async (lives, asked) => {
      const lived = await live(lives)
      const [here, there] = lived.worlds
      try {
        const { answers, heard } = await askBoth(lived, [...sure, ...asked])
        expect(answers.filter(([, one, other]) => one !== other)).toEqual([])
        expect(heard[0]).toBe(heard[1])
        const got = JSON.stringify([answers, heard])
        expect(got).not.toContain(there.names.canary)
        for (const own of [
          'vault__look',
          'hello mcpgw',
          'of wiki: ',
          'of vault: ',
          'of docs: ',
          'gateway__list_tools',
          'breaker',
          'upstreamMs',
        ])
          expect(got).toContain(own)

        lived.close()
        await Promise.all(lived.worlds.map(world => world.stop()))
        // What the other one has asked is on record as his, with the names of the first world: what is of the second is not his.
        for (const { command, words } of await readsOf(there, lived.known)) {
          const said = await there.say(words)
          expect({ words, ...said }).toEqual({ words, code: expect.any(Number), text: expect.not.stringContaining(there.names.canary) })
          // Neither a mistake in the words nor a command that could not.
          expect({ words, code: said.code }).toEqual({ words, code: command === 'audit prove' ? 1 : expect.toBeOneOf([0, 1, 4]) })
        }
        expect(await countsIn(here)).toEqual(await countsIn(there))
      } finally {
        await Promise.all(lived.worlds.map(world => world.remove()))
      }
    }),
    { numRuns: runs, seed, endOnFailure: true },
  )
})

test('every operation of the gateway is among those that are asked for', async () => {
  const world = await startWorld(newCanary())
  expect(world.operations).toEqual(Object.keys(OPERATIONS).toSorted())
  await world.remove()
})

test('every command that can be held to one tenant is read in that', async () => {
  const lived = await live([[], []])
  try {
    await lived.worlds[1].stop()
    const read = new Set((await readsOf(lived.worlds[1], lived.known)).map(({ command }) => command))
    expect([...read].sort()).toEqual(
      Object.keys(COMMANDS)
        .filter(name => COMMANDS[name] === 'tenant')
        .sort(),
    )
  } finally {
    lived.close()
    await Promise.all(lived.worlds.map(world => world.remove()))
  }
})
