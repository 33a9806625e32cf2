// Who reads the log is on record in it, and one who is held to a tenant learns of no other.
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AdminEvent } from 'mcpgw/plugin'
import { beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../plugins/audit/commands.ts'
import {
  agent,
  call,
  createExchange,
  type Fields,
  payload,
  type Ran,
  readBodies,
  recordIn,
  refused,
  runCommand,
  startGateway,
  tempDir,
} from './gateway.ts'

const blake = { ...agent, id: 'agent-b', tenant: 'blake' }
const shell = { kind: 'call', server: 'shell', tool: 'run' } as const

/** Two tenants, refusals of one of them and of nobody, and a gateway that was stopped in order. */
async function writeLog(): Promise<string> {
  const gateway = await startGateway()
  await call(gateway, createExchange())
  await call(gateway, createExchange({ principal: blake, resource: shell }))
  await call(gateway, createExchange({ principal: blake }), { kind: 'error', payload: payload({}), code: 'upstream-timeout' })
  await gateway.hooks.onSettled!(createExchange({ principal: blake }), { kind: 'denied', decision: refused })
  await gateway.hooks.onSettled!(createExchange({ principal: null }), { kind: 'denied', decision: refused })
  await gateway.stop()
  return gateway.dir
}

let dir: string
beforeAll(async () => {
  dir = await writeLog()
})
const run = (verb: string, options: Record<string, string | boolean> = {}, args: string[] = []): Promise<Ran> =>
  runCommand(dir, verb, options, { args })
const recordsOf = async (options: Record<string, string | boolean>): Promise<Fields[]> =>
  (JSON.parse((await run('audit log', { json: true, ...options })).out) as { records: Fields[] }).records

describe('a read', () => {
  test('of what somebody did names them by the pseudonym only, so that they can be forgotten', async () => {
    const own = await writeLog()
    const record = recordIn({ dir: own })
    const [{ subject }] = readBodies(own).filter(one => (one.actor as Fields)?.id === 'agent-b') as [Fields]
    const out = join(own, 'e.csv')
    await runCommand(own, 'audit log', { consumer: 'agent-b' }, { record })
    await runCommand(own, 'audit stats', { consumer: 'agent-b', tenant: 'acme' }, { record })
    await runCommand(own, 'audit export', { consumer: 'agent-b', format: 'csv', out }, { record })
    await runCommand(own, 'audit export', { resume: true, out }, { record })
    const told = readBodies(own).flatMap(({ type, detail }) => (/^log[.]/.test(String(type)) ? [detail as Fields] : []))
    expect(told.map(({ options, asked }) => [(options as Fields).consumer, (asked as Fields)?.consumer])).toEqual([
      [[subject], undefined],
      [[], undefined],
      [[subject], undefined],
      [[subject], [subject]],
      [undefined, undefined],
      [undefined, [subject]],
    ])
    for (const name of readdirSync(own).filter(one => one.startsWith('audit.db')))
      expect([name, readFileSync(join(own, name)).includes('agent-b')]).toEqual([name, false])
  })

  test('stands in the log, with who read what by which filters and how much it was', async () => {
    const own = await writeLog()
    const record = recordIn({ dir: own })
    const read = (verb: string, options: Record<string, string | boolean> = {}, args: string[] = []) =>
      runCommand(own, verb, options, { record, args })
    const shown = await read('audit log', { tenant: 'blake', decision: 'deny' })
    await read('audit stats')
    await read('audit prove', {}, [`${readBodies(own)[0]!.stream}:1`])
    await read('audit drill')
    await read('audit export', { out: join(own, 'e.jsonl') })
    expect((await read('audit verify')).code).toBe(4)
    expect(shown.out.trimEnd().split('\n')).toHaveLength(2)
    const told = readBodies(own).filter(one => String(one.type).startsWith('log.'))
    expect(told.map(({ type, actor, success, detail }) => [type, (actor as Fields).id, success, (detail as Fields).command])).toEqual([
      ['log.read', 'cli:tester', true, 'audit log'],
      ['log.read', 'cli:tester', true, 'audit stats'],
      ['log.read', 'cli:tester', true, 'audit prove'],
      ['log.read', 'cli:tester', true, 'audit drill'],
      ['log.read', 'cli:tester', true, 'audit export'],
      ['log.export', 'cli:tester', true, 'audit export'],
      ['log.verify', 'cli:tester', true, 'audit verify'],
    ])
    // A file may be named after whom it is about.
    expect(JSON.stringify(told)).not.toContain('e.jsonl')
    const [log, , prove, , , exported, verified] = told.map(one => one.detail as Fields)
    expect(log).toEqual({ command: 'audit log', options: { limit: '50', tenant: 'blake', decision: 'deny' }, records: 1 })
    expect(prove).toMatchObject({ args: [`${readBodies(own)[0]!.stream}:1`], records: 1 })
    const { length } = readFileSync(join(own, 'e.jsonl'), 'utf8').match(/^\{"body"/gm)!
    expect(exported).toMatchObject({ from: null, to: String(length), records: length })
    expect(verified).toMatchObject({ verdict: 'consistent', exitCode: 4 })
  })

  // What shows nothing of the log, and what changes something and records that.
  const OTHERS = ['audit key', 'audit exports', 'audit verify', 'audit prune', 'audit hold add', 'audit hold remove', 'privacy erase']
  test.each(commands.map(({ path }) => path.join(' ')).filter(verb => !OTHERS.includes(verb)))(
    '%s shows nothing where it cannot be recorded',
    async verb => {
      const out = join(tempDir(), 'export.jsonl')
      const args = verb === 'audit prove' ? [`${readBodies(dir)[0]!.stream}:1`] : []
      const options =
        { 'audit export': { out }, 'audit report': { out, period: 'last-month' }, 'privacy export': { out, subject: 'agent-1' } }[verb] ??
        {}
      const ran = await runCommand(dir, verb, options, { args, record: async () => false })
      expect(ran).toMatchObject({ code: 3, out: '' })
      expect(ran.err).toContain('could not be put on record: the config must name the plugin audit')
      expect(existsSync(out)).toBe(false)
    },
  )

  test('verify tells its result where it cannot be recorded, with a warning; a broken log is recorded as such', async () => {
    const told = await runCommand(dir, 'audit verify', {}, { record: async () => false })
    expect(told).toMatchObject({ code: 4, out: expect.stringMatching(/^CONSISTENT/) as string })
    expect(told.err).toContain('could not be put on record')
    const away = join(tempDir(), 'export.jsonl')
    const { out } = await run('audit export')
    const seen: AdminEvent[] = []
    const record = async (event: AdminEvent): Promise<boolean> => seen.push(event) > 0
    const lines = out.split('\n')
    writeFileSync(away, out)
    expect(await runCommand(dir, 'audit verify', {}, { args: [away], record })).toMatchObject({ code: 4 })
    writeFileSync(away, lines.toSpliced(4, 1).join('\n'))
    expect(await runCommand(dir, 'audit verify', {}, { args: [away], record })).toMatchObject({ code: 1 })
    expect(seen).toEqual([])
    await runCommand(dir, 'audit verify', {}, { record })
    await runCommand(dir, 'audit verify', {}, { args: ['audit.db'], record })
    expect(seen.map(one => one.type)).toEqual(['log.verify', 'log.verify'])
  })

  test('by somebody without the keys makes none that signs, and what was signed stays what it was', async () => {
    const [from, away] = [await writeLog(), tempDir()]
    copyFileSync(join(from, 'audit.db'), join(away, 'audit.db'))
    const ran = await runCommand(away, 'audit log', { all: true }, { record: recordIn({ dir: away }) })
    const key = join(away, 'audit.db.key')
    expect(ran).toMatchObject({ code: 0, err: `audit: names and contents stay sealed: ${key}: no such file\n` })
    expect(ran.out).not.toContain('agent-b')
    expect(existsSync(join(away, 'audit.db.signing-key')) || existsSync(join(away, 'audit.db.verifier'))).toBe(false)
    expect((await runCommand(away, 'audit verify')).code).toBe(4)
    expect(await runCommand(away, 'audit verify', { key: join(from, 'audit.db.verifier') })).toMatchObject({ code: 4 })
  })

  test('with another key than the one that sealed says that names stay sealed, and so does the next gateway', async () => {
    const own = await writeLog()
    const key = join(own, 'audit.db.key')
    expect(await runCommand(own, 'audit log')).toMatchObject({ code: 0, err: '' })
    writeFileSync(key, 'ab'.repeat(32))
    const said = `audit: names and contents that were sealed with another key than ${key} stay sealed\n`
    for (const verb of ['audit log', 'audit stats']) expect(await runCommand(own, verb)).toMatchObject({ code: 0, err: said })
    const gateway = await startGateway({ dir: own })
    expect(gateway.logged.join()).toContain(key)
  })

  test('that fails by a bug is no log that cannot be read', async () => {
    const record = async (): Promise<boolean> => (undefined as unknown as { bug(): boolean }).bug()
    for (const verb of ['audit log', 'audit stats', 'audit export'])
      await expect(runCommand(dir, verb, {}, { record })).rejects.toThrow(TypeError)
  })

  test('a log that is not there is no read', async () => {
    const seen: AdminEvent[] = []
    for (const verb of ['audit log', 'audit stats', 'audit export'])
      expect(await runCommand(tempDir(), verb, {}, { record: async event => seen.push(event) > 0 })).toMatchObject({ code: 3, out: '' })
    expect(seen).toEqual([])
  })
})

describe('a reader who is held to a tenant', () => {
  test('sees the records of that tenant only, and none of the gateway itself', async () => {
    for (const tenant of ['acme', 'blake']) {
      const records = await recordsOf({ tenant, all: true })
      expect(new Set(records.map(one => one.tenant))).toEqual(new Set([tenant]))
    }
    expect(await recordsOf({ tenant: 'blake' })).toHaveLength(3)
    expect(await recordsOf({ tenant: 'nobody', all: true })).toEqual([])
    expect(await recordsOf({ tenant: '', all: true })).toEqual([])
  })

  test('counts the calls of that tenant only', async () => {
    const stats = JSON.parse((await run('audit stats', { tenant: 'acme', json: true })).out) as Fields
    expect(stats).toMatchObject({ calls: 1, errors: 0, refused: 0, outcomes: { answered: 1 } })
    expect([stats.tools, stats.consumers]).toMatchObject([[{ name: 'files read' }], [{ name: 'agent-1' }]])
    expect(JSON.stringify(stats)).not.toMatch(/shell|agent-b|anonymous/)
  })

  test('exports the rows of that tenant only', async () => {
    const { out } = await run('audit export', { format: 'csv', tenant: 'acme' })
    expect(out.trimEnd().split('\r\n')).toHaveLength(3)
    expect(out).not.toMatch(/blake|agent-b|shell/)
    expect(await run('audit export', { tenant: 'acme' })).toMatchObject({ code: 2, out: '' })
  })

  test('gets a proof of its own records; others are not there, in the same words', async () => {
    const [own, other] = [await recordsOf({ tenant: 'acme' }), await recordsOf({ tenant: 'blake' })].map(([first]) => first!)
    for (const id of [own!.id, own!.callId] as string[])
      expect(await run('audit prove', { tenant: 'acme' }, [id])).toMatchObject({ code: 0 })
    const start = `${String(own!.stream)}:1`
    for (const id of [other!.id, other!.callId, start, `${String(own!.stream)}:999`, 'no-such-call'] as string[])
      expect(await run('audit prove', { tenant: 'acme' }, [id])).toEqual({
        code: 1,
        out: '',
        err: `audit prove: there is no record ${id}\n`,
      })
  })
})

describe('filters', () => {
  test.each([
    [{ text: 'NOT you' }, ['refusal', 'refusal']],
    [{ text: 'no-secrets' }, ['refusal', 'refusal']],
    [{ text: 'you timeout' }, []],
    [{ text: 'upstream-timeout' }, ['outcome']],
    [{ type: 'intent', tenant: 'acme' }, ['intent']],
    [{ type: 'stream.start' }, ['stream.start']],
    [{ type: 'gateway.stop', server: 'files' }, []],
  ] as const)('%j', async (options, types) => {
    expect((await recordsOf(options)).map(one => one.type)).toEqual(types)
  })
})

describe('pages', () => {
  interface Shown {
    readonly records: readonly Fields[]
    readonly next: string
  }
  const pageOf = async (own: string, after: string, options: Record<string, string | boolean> = {}): Promise<Shown> =>
    JSON.parse((await runCommand(own, 'audit log', { json: true, after, ...options })).out) as Shown

  test('follow one another without a gap or a repeat, under any filter, and go on with what is new', async () => {
    const own = await writeLog()
    for (const options of [{ all: true }, {}, { tenant: 'blake' }]) {
      const whole = await pageOf(own, 'start', { ...options, limit: '1000' })
      const seen: Fields[] = []
      let next = 'start'
      for (let page = await pageOf(own, next, { ...options, limit: '2' }); ; page = await pageOf(own, next, { ...options, limit: '2' })) {
        next = page.next
        if (page.records.length === 0) break
        seen.push(...page.records)
      }
      expect(seen.length).toBeGreaterThan(2)
      expect(seen).toEqual(whole.records)
      expect(next).toBe(whole.next)
    }
    const { next } = await pageOf(own, 'start', { all: true, limit: '1000' })
    const gateway = await startGateway({ dir: own })
    await call(gateway, createExchange())
    await gateway.stop()
    expect((await pageOf(own, next)).records.map(one => one.type)).toContain('outcome')
    expect((await runCommand(own, 'audit log', { after: next })).err).toMatch(/^go on with --after \S+\n$/)
  })

  test.each(['', 'nonsense', '🙂', 'eyJhIjoxfQ'])('do not begin at %j, which is no place of this log', async after => {
    expect(await runCommand(dir, 'audit log', { after })).toMatchObject({
      code: 2,
      out: '',
      err: 'audit log: --after: expected `start`, or what `next` said of this log\n',
    })
  })
})
