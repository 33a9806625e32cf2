// How far the meter has counted the log, asked while it runs and while it does not: what is beyond that stays in the log.
import type { RecordReader } from 'mcpgw/plugin'
import { describe, expect, test } from 'vitest'
import { postgresStore } from '../../../plugins/audit/store/postgres.ts'
import { sqliteStore } from '../../../plugins/audit/store/sqlite.ts'
import { config as schema } from '../../../plugins/meter/config.ts'
import meter from '../../../plugins/meter/index.ts'
import { createDatabase, server } from '../../postgres/server.ts'
import { agent, createWorld, type World } from './gateway.ts'

async function readThrough({ stores }: World): Promise<RecordReader['through']> {
  const checked = await schema['~standard'].validate({})
  if (checked.issues !== undefined) throw new Error('the defaults do not do')
  return meter.readThrough!({ config: checked.value, stores })
}

async function heads({ stores }: World, url: string | undefined): Promise<Map<string, number>> {
  const store = url === undefined ? sqliteStore(stores, 'audit.db', 'os') : postgresStore(stores.postgres()!, 'os')
  const reader = await store.reader()
  const found = new Map<string, number>()
  for await (const page of reader.forward(new AbortController().signal)) for (const { stream, seq } of page.records) found.set(stream, seq)
  await reader.close()
  await store.close()
  return found
}

describe.each([
  ['a file', false],
  ['PostgreSQL', true],
] as const)('usage in %s', (_name, isPostgres) => {
  test.skipIf(isPostgres && server === undefined)(
    'is counted through what it says, of every stream that it has seen, and never beyond',
    async () => {
      const url = isPostgres ? await createDatabase() : undefined
      const world = createWorld(url)
      if (!isPostgres) expect(await readThrough(world)).toEqual(new Map())
      const first = await world.start()
      first.upstream.on('crm', () => ({ content: [] }))
      for (let i = 0; i < 5; i++) await first.call('crm', 'find', {}, agent('ann'))
      const early = await readThrough(world)
      const [[stream, head]] = [...(await heads(world, url))] as [[string, number]]
      // Not counted yet, so not said to be.
      expect(early.get(stream) ?? 0).toBeLessThan(head - 5)
      await world.settle()
      expect((await readThrough(world)).get(stream)).toBe(head)
      await first.stop()
      const second = await world.start()
      await world.settle()
      await second.stop()
      const counted = await readThrough(world)
      const all = await heads(world, url)
      expect(all.size).toBe(2)
      for (const [name, seq] of counted) expect(seq).toBeLessThanOrEqual(all.get(name)!)
      expect(counted.get(stream)).toBe(all.get(stream))
    },
  )
})
