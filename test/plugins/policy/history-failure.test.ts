// A store of what callers have done that fails: `after` fails closed, what could not be stored is not done, health says so, and it heals by itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GroupWriter, Stores } from 'mcpgw/plugin'
import { createTemporaryStores, type Harness, harness } from 'mcpgw/testing'
import { expect, onTestFinished, test } from 'vitest'
import policy from '../../../plugins/policy/index.ts'

const RULES = `policy "desk" edition 1
allow everything {
  who  any
  call vault/*, slack/*, crm/*
}
deny no-exfil {
  call    slack/post
  after   call vault/read within 30m
  because "seen secrets"
}
allow follow-up {
  who   any
  call  hr/read
  after call crm/get within 30m
}
`
const WITHOUT = 'policy "desk" edition 1\nallow everything { who any call vault/*, slack/*, crm/* }'
const ann = { id: 'ann', roles: ['support'], tenant: 'acme', claims: {}, via: { method: 'test' } }
const bob = { ...ann, id: 'bob' }

interface World extends Harness {
  /** What the disk says to every write, and to being opened again. */
  fails: string | undefined
  /** Says that it has stored, and has not been asked to. */
  readonly written: number
  write(text: string): void
  readonly dir: string
}

/** `files`: the data directory before the start. */
async function start(text = RULES, files: Readonly<Record<string, string>> = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'mcpgw-history-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const write = (content: string): void => writeFileSync(join(dir, 'a.policy'), content)
  write(text)
  const real = createTemporaryStores()
  onTestFinished(() => real.remove())
  for (const [name, content] of Object.entries(files)) writeFileSync(join(real.dir, name), content)
  const disk = { fails: undefined as string | undefined, written: 0 }
  const check = (): void => {
    if (disk.fails !== undefined) throw new Error(disk.fails)
  }
  const stores: Stores = {
    ...real,
    async writer(path, options): Promise<GroupWriter> {
      check()
      const writer = await real.writer(path, options)
      return {
        async append(rows) {
          check()
          await writer.append(rows)
          disk.written += rows.length
        },
        async recover() {
          check()
          await writer.recover()
        },
        close: () => writer.close(),
      }
    },
  }
  const world = await harness({ plugins: [{ plugin: policy, config: { files: ['a.policy'], dir } }], stores })
  onTestFinished(async () => void (await world.stop()))
  return Object.defineProperties({ ...world, write, dir } as unknown as World, {
    fails: {
      get: () => disk.fails,
      set(to: string | undefined) {
        disk.fails = to
      },
    },
    written: { get: () => disk.written },
  })
}
const call = async (world: World, tool: string, principal: typeof ann | null = ann): Promise<string> => {
  const [server, name] = tool.split('/') as [string, string]
  const { outcome, refusal } = await world.call(server, name, {}, principal === null ? {} : { principal })
  return refusal?.code ?? outcome.kind
}
const healthOf = (world: World) => world.kernel.health.view().components.find(one => one.name === 'policy')

test('while nothing can be stored, what asks `after` is denied, and so is what rules would have to remember', async () => {
  const world = await start()
  expect([await call(world, 'slack/post'), await call(world, 'crm/get'), await call(world, 'hr/read')]).toEqual(Array(3).fill('answered'))
  world.fails = 'SQLITE_FULL: database or disk is full'
  const received = world.upstream.received.length
  // The first one finds out: it is not made, nor forgotten that it was tried for nothing.
  expect(await call(world, 'vault/read')).toBe('not-recorded')
  for (const caller of [ann, bob]) {
    expect(await call(world, 'slack/post', caller)).toBe('denied')
    expect(await call(world, 'vault/read', caller)).toBe('not-recorded')
  }
  // Known from before: an allow may rely on what is certain, and on nothing else.
  expect(await call(world, 'hr/read', ann)).toBe('answered')
  expect(await call(world, 'hr/read', bob)).toBe('denied')
  expect(await call(world, 'slack/other')).toBe('answered')
  expect(world.upstream.received).toHaveLength(received + 2)
  expect(healthOf(world)).toMatchObject({ status: 'failing', why: expect.stringContaining('SQLITE_FULL') })
  const { exchange } = await world.call('slack', 'post', {}, { principal: bob })
  expect(exchange.notes.get('policy.decision')).toMatchObject({ errors: [{ rule: 'no-exfil', code: 'no-history' }] })
})

test('it is well again soon after the disk is, without a restart and without anybody calling', async () => {
  const world = await start()
  world.fails = 'EIO: i/o error'
  expect(await call(world, 'vault/read')).toBe('not-recorded')
  await world.clock.advance(5_000)
  expect(healthOf(world)?.status).toBe('failing')
  world.fails = undefined
  while (healthOf(world)?.status === 'failing') {
    await world.clock.advance(1_000)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  // What was refused has not been done.
  expect([await call(world, 'slack/post'), await call(world, 'slack/post', bob)]).toEqual(['answered', 'answered'])
  expect(await call(world, 'vault/read')).toBe('answered')
  expect(world.written).toBeGreaterThan(0)
  expect([await call(world, 'slack/post'), await call(world, 'slack/post', bob)]).toEqual(['denied', 'answered'])
})

test('one that cannot be read, or not be opened, is a start that is refused', async () => {
  await expect(start(RULES, { 'policy-history.db': 'this is no database at all, '.repeat(200) })).rejects.toThrow(
    /not a database|policy-history\.db/,
  )
  // Nobody asks for it: nobody opens it.
  const world = await start(WITHOUT, { 'policy-history.db': 'this is no database at all, '.repeat(200) })
  expect(await call(world, 'slack/post')).toBe('answered')
})

test('a bundle that is the first to need it does not come into force where it cannot be opened', async () => {
  const world = await start(WITHOUT)
  world.fails = 'EROFS: read-only file system'
  world.write(RULES)
  await world.kernel.reload()
  expect(await call(world, 'slack/post')).toBe('answered')
  expect(await call(world, 'hr/read')).toBe('denied')
  expect(healthOf(world)?.why).toMatch(/refused, the last good ones stay in force: .*EROFS/)
  world.fails = undefined
  await world.kernel.reload()
  expect(healthOf(world)).toMatchObject({ status: 'ok' })
  expect([await call(world, 'crm/get'), await call(world, 'hr/read')]).toEqual(['answered', 'answered'])
})

test('a caller without an identity has no history: every deny with `after` denies him, and no such allow allows', async () => {
  const world = await start()
  expect(await call(world, 'slack/post', null)).toBe('denied')
  await call(world, 'crm/get', null)
  expect(await call(world, 'hr/read', null)).toBe('denied')
  expect(await call(world, 'slack/other', null)).toBe('answered')
  const { exchange } = await world.call('slack', 'post')
  expect(exchange.notes.get('policy.decision')).toMatchObject({ outcome: 'deny', errors: [{ rule: 'no-exfil', code: 'no-history' }] })
})
