// Large messages: searched in threads, with the same result, while other calls go on; what takes too long or is too large is refused.
import { createFakeClock, harness } from 'mcpgw/testing'
import { expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import redact from '../../../plugins/redact/index.ts'
import { createPool } from '../../../plugins/redact/threads/pool.ts'
import type { ThreadSettings, Work } from '../../../plugins/redact/threads/work.ts'
import { exchangeOf, openStage, request, respond } from './stage.ts'

const card = '4111 1111 1111 1111'
const mail = 'ann@example.com'
const dense = (bytes: number): string => `${card} ${mail}, `.repeat(Math.ceil(bytes / 34))
const result = (text: string): string => JSON.stringify({ content: [{ type: 'text', text }] })

test('a large message comes out as the same parts would one by one', async () => {
  const stage = await openStage({
    actions: { card: 'token', ssn: 'drop' },
    fields: ['$.secret', '$.deep[*].pin'],
    patterns: [{ name: 'ticket', pattern: String.raw`TCK-\d+` }],
  })
  const parts = [
    { to: mail, secret: 'x', n: 4111111111111111, deep: [{ pin: 1, ok: true }] },
    { [mail]: 1, 'TCK-7': 2, ssn: '123-45-6789' },
    { a: Buffer.from(`see ${mail} now`).toString('base64'), b: 'to=ann%40example.com', c: JSON.stringify({ secret: mail, n: [card] }) },
    { clean: 'words', more: ['2026-01-01', null, 1.5] },
  ]
  const blocks = [
    { type: 'text', text: 'card 4111 1111' },
    { type: 'text', text: '1111 1111 ok' },
    { type: 'text', text: JSON.stringify(parts[0]) },
  ]
  const masked = await Promise.all(
    parts
      .slice(0, 3)
      .map(async part => (JSON.parse((await respond(stage, JSON.stringify({ structuredContent: part })))!) as Doc).structuredContent),
  )
  const small = JSON.parse((await respond(stage, JSON.stringify({ content: blocks })))!) as Doc
  const filler = 'lorem ipsum dolor sit amet '.repeat(4000)
  for (const [i, part] of parts.slice(0, 3).entries()) {
    const json = JSON.stringify({ content: [...blocks, { type: 'image', data: 'none', filler }], structuredContent: part })
    const large = JSON.parse((await respond(stage, json))!) as Doc
    expect(large.structuredContent).toEqual(masked[i])
    expect(large.content.slice(0, 3)).toEqual(small.content)
    expect(large.content[3]).toEqual({ type: 'image', data: 'none', filler })
  }
  expect(await respond(stage, JSON.stringify({ structuredContent: parts[3], content: [{ type: 'text', text: `é ${filler}` }] }))).toBe(
    'pass',
  )
})

interface Doc {
  readonly structuredContent: unknown
  readonly content: readonly unknown[]
}

test('other calls are answered while a large one is searched', async () => {
  const stage = await openStage({ scan: { deadlineMs: 60_000 } })
  await respond(stage, result(dense(70_000)))
  let searching = true
  const large = respond(stage, result(dense(1_500_000))).finally(() => {
    searching = false
  })
  let others = 0
  while (searching) {
    const small = await request(stage, exchangeOf(JSON.stringify({ arguments: { to: mail } })))
    expect(small).toBe('{"arguments":{"to":"[EMAIL]"}}')
    others += 1
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(await large).not.toContain(mail)
  expect(others).toBeGreaterThan(20)
})

test('what is not searched by the deadline is refused, or withheld with the word that the call was made', async () => {
  const clock = createFakeClock()
  const world = await harness({ plugins: [redact], clock })
  const late = world.call('s', 'put', { text: dense(2_000_000) })
  await new Promise(resolve => setImmediate(resolve))
  await clock.advance(4000)
  expect((await late).refusal).toMatchObject({ code: 'redaction-limit' })
  expect(world.upstream.received).toEqual([])
  // Its thread is gone, and the next message has one of its own.
  world.upstream.on('s/get', () => ({ content: [{ type: 'text', text: dense(70_000) }] }))
  expect(JSON.stringify((await world.call('s', 'get')).value)).toContain('[EMAIL]')
  world.upstream.on('s/get', () => {
    setTimeout(() => void clock.advance(4000), 20)
    return { content: [{ type: 'text', text: dense(4_000_000) }] }
  })
  const { answer } = await world.call('s', 'get')
  expect(answer).toMatchObject({ kind: 'error', code: 'withheld' })
  expect(JSON.stringify(answer!.payload.value)).toContain('in the time and size set; the call was made')
  await world.stop()
})

test('what is longer than may be searched is refused, never searched in part', async () => {
  const world = await harness({ plugins: [{ plugin: redact, config: { scan: { maxBytes: 100_000 } } }] })
  expect((await world.call('s', 'put', { text: 'x'.repeat(100_000) })).refusal?.code).toBe('redaction-limit')
  expect((await world.call('s', 'put', { text: 'x'.repeat(90_000) })).refusal).toBeUndefined()
  await world.stop()
})

const suspect: Work = { kind: 'suspect', profile: 0, json: Buffer.from('{}') }
const far = (): number => systemClock.mono() + 60_000
const valid = async (): Promise<ThreadSettings> => {
  const checked = await redact.config['~standard'].validate({})
  if (checked.issues !== undefined) throw new Error('bad config')
  return { config: checked.value, key: undefined }
}

test('a thread that breaks fails its work, and the next work gets a new thread', async () => {
  const broken = { config: {} as ThreadSettings['config'], key: undefined }
  const sound = await valid()
  let starts = 0
  const pool = createPool({ settings: () => (starts++ === 0 ? broken : sound), clock: systemClock })
  await expect(pool.run(suspect, far())).rejects.toThrow()
  expect(await pool.run(suspect, far())).toEqual({ kind: 'suspect', suspect: false })
  await pool.close()
})

test('no thread is started before there is work, few are, and what would wait too long is turned away', async () => {
  const sound = await valid()
  let starts = 0
  const pool = createPool({
    settings: () => {
      starts++
      return sound
    },
    clock: systemClock,
  })
  expect(starts).toBe(0)
  const replies = await Promise.all(Array.from({ length: 80 }, () => pool.run(suspect, far())))
  expect(starts).toBeLessThanOrEqual(2)
  expect(replies.filter(reply => reply === undefined).length).toBeGreaterThanOrEqual(80 - 64 - 2)
  expect(replies.filter(reply => reply !== undefined).length).toBeGreaterThanOrEqual(64)
  await pool.close()
})

test('work that waits at the stop is not done', async () => {
  const sound = await valid()
  const pool = createPool({ settings: () => sound, clock: systemClock })
  const replies = Array.from({ length: 5 }, () => pool.run(suspect, far()).catch(() => 'ended'))
  await pool.close()
  for (const reply of await Promise.all(replies)) expect([undefined, 'ended']).toContain(reply)
})
