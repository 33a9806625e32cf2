// Work in a process of its own: it gets what it is given and nothing else, and no way of ending leaves it behind or unnoticed.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ApartJob, Stores } from 'mcpgw/plugin'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runApart } from '../../../core/apart/run.ts'
import { systemClock } from '../../../core/clock.ts'
import { createStores } from '../../../core/store/index.ts'
import { untilGone } from '../../chaos/processes.ts'

let dir: string
let logged: unknown[]
let modules = 0
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mcpgw-apart-'))
  logged = []
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const url = 'postgres://somebody:a-password@127.0.0.1/none'
const log = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map(level => [level, (...said: unknown[]) => logged.push([level, ...said])]),
)
const host = (stores: Stores = createStores({ dataDir: dir, url }), now = Date.now) => ({
  stores,
  clock: { ...systemClock, now },
  log: log as never,
})

/** `body`: of `work(io)`; it says its process id in the file `pid`. */
function run(body: string, more: Partial<ApartJob> = {}, on = host()): Promise<unknown> {
  const path = join(dir, `work-${++modules}.mjs`)
  writeFileSync(
    path,
    `import { writeFileSync, readFileSync } from 'node:fs'
     export async function work(io) { writeFileSync(${JSON.stringify(join(dir, 'pid'))}, String(process.pid)); ${body} }`,
  )
  return runApart(on, {
    module: pathToFileURL(path),
    input: undefined,
    answer: async question => question,
    signal: new AbortController().signal,
    ...more,
  })
}
const pid = async (): Promise<number> => {
  await expect.poll(() => existsSync(join(dir, 'pid')) && readFileSync(join(dir, 'pid'), 'utf8')).toMatch(/\d/)
  return Number(readFileSync(join(dir, 'pid'), 'utf8'))
}
const FOREVER = 'await new Promise(() => {})'

describe('work that is done apart', () => {
  test('gets its input, the stores, the time and answers of the gateway, and its result comes back; then its process has ended', async () => {
    const day = 86_400_000
    const result = (await run(
      `io.log.warn('seen', { input: io.input.a })
       const db = io.stores.open('some.db'); db.exec('CREATE TABLE t (a)'); db.close()
       return { asked: await io.ask({ x: new Map([['a', 1]]) }), now: io.clock.now(), postgres: io.stores.postgres().name }`,
      { input: { a: 1n } },
      host(undefined, () => Date.now() + 400 * day),
    )) as { now: number }
    expect(result).toMatchObject({ asked: { x: new Map([['a', 1]]) }, postgres: 'postgres://somebody@127.0.0.1/none' })
    expect(result.now - Date.now()).toBeGreaterThan(399 * day)
    expect(existsSync(join(dir, 'some.db'))).toBe(true)
    expect(logged).toContainEqual(['warn', 'seen', { input: 1n }])
    await untilGone([await pid()])
  })

  test('neither arguments nor environment of its process have anything of that, nor what else the gateway has in its own', async () => {
    process.env.SOME_TOKEN = 'a-secret-of-the-gateway'
    try {
      const { seen, names } = (await run(
        `return { seen: readFileSync('/proc/self/cmdline', 'latin1') + readFileSync('/proc/self/environ', 'latin1'), names: Object.keys(process.env) }`,
        { input: { password: 'given-secret' } },
      )) as { seen: string; names: string[] }
      for (const secret of ['given-secret', 'a-password', 'a-secret-of-the-gateway']) expect(seen).not.toContain(secret)
      expect(names).not.toContain('SOME_TOKEN')
      expect(names).toContain('PATH')
    } finally {
      delete process.env.SOME_TOKEN
    }
  })

  test('fails with what it, or the answer to it, failed with', async () => {
    await expect(run(`throw new Error('the disk is full')`)).rejects.toThrow(/^the disk is full$/)
    await expect(run(`throw 'no error at all'`)).rejects.toThrow('no error at all')
    await expect(run('await io.ask(1)', { answer: () => Promise.reject(new Error('not now')) })).rejects.toThrow(/^not now$/)
    await expect(run('await io.ask(1)', { answer: async () => () => {} })).rejects.toThrow('could not be cloned')
    await expect(run('return () => {}')).rejects.toThrow('could not be cloned')
    await expect(run('', { input: () => {} })).rejects.toThrow('could not be cloned')
    await expect(run('', { module: pathToFileURL(join(dir, 'none.mjs')) })).rejects.toThrow('none.mjs')
    await untilGone([await pid()])
  })

  test('that is killed or breaks is told, with how it ended', async () => {
    const killed = run(FOREVER)
    killed.catch(() => {})
    process.kill(await pid(), 'SIGKILL')
    await expect(killed).rejects.toThrow(/^the process that works apart was ended by SIGKILL$/)
    await expect(run(`setImmediate(() => { throw new Error('broken') }); ${FOREVER}`)).rejects.toThrow(/apart ended with \d+: /)
    await expect(run('process.exit(0)')).rejects.toThrow('ended with 0')
  })

  test('that is stopped is told so, and killed where it does not end; it ends with no work left behind', async () => {
    const stop = new AbortController()
    const heeds = run(`await new Promise(done => io.signal.addEventListener('abort', done)); return 'so far'`, { signal: stop.signal })
    await pid()
    stop.abort()
    expect(await heeds).toBe('so far')
    rmSync(join(dir, 'pid'))
    const other = new AbortController()
    const ignores = run('for (;;);', { signal: other.signal })
    ignores.catch(() => {})
    const number = await pid()
    other.abort()
    await expect(ignores).rejects.toThrow('was ended by SIGKILL')
    await untilGone([number])
    await expect(run('', { signal: other.signal })).rejects.toThrow('stopped before it began')
  })

  test.each([
    '1',
    'null',
    '{}',
    '{ kind: "answer" }',
    '{ kind: "ask" }',
    '{ kind: "failed" }',
    '{ kind: "log", level: "x", message: "", fields: {} }',
  ])('that says %s to the gateway is ended', async said => {
    await expect(run(`process.send(${said}); ${FOREVER}`)).rejects.toThrow('is not understood')
    await untilGone([await pid()])
  })

  test('is not done on stores that another process cannot open', async () => {
    await expect(run('', {}, host({ ...createStores({ dataDir: dir }) }))).rejects.toThrow('cannot be opened in another process')
  })
})
