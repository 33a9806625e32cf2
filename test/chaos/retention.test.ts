// Retention in the real product, whose process for it, or the gateway with it, is killed at any moment: calls go on, nothing is left behind,
// the log verifies, and every record is in it or in the archive. MCPGW_CHAOS=full runs 40 rounds.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readLine } from '../../plugins/audit/export-line.ts'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from '../e2e/product.ts'
import { openRecords, verify } from '../e2e/records.ts'
import { oddServer } from '../e2e/servers.ts'
import { startLoad } from './load.ts'
import { childrenOf, running, untilGone } from './processes.ts'
import { anchoredAudit, anchorIn } from './whole-log.ts'

const ROUNDS = process.env.MCPGW_CHAOS === 'full' ? 40 : 6
const MINUTES = 60_000
const WORKER = 'apart/child.js'
const early = new URL('../fixtures/early-clock.mjs', import.meta.url)
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function workerOf({ pid }: Product): Promise<number> {
  for (;;) {
    const [found] = running(WORKER, childrenOf(pid))
    if (found !== undefined) return found
    await sleep(5)
  }
}

interface Found {
  readonly place: string
  readonly type: string
  readonly outcome?: string
  readonly detail?: { readonly stage?: string }
}

const read = (body: Uint8Array): Found => {
  const { stream, seq, ...rest } = JSON.parse(Buffer.from(body).toString()) as Found & { stream: string; seq: number }
  return { ...rest, place: `${stream} ${seq}` }
}

function inLog(dir: string): Found[] {
  const db = openRecords(join(dir, '.mcpgw'))
  try {
    return db
      .prepare('SELECT CAST(body AS BLOB) AS body FROM record')
      .all()
      .map(({ body }) => read(body as Uint8Array))
  } finally {
    db.close()
  }
}

function inArchive(dir: string): Found[] {
  const folder = join(dir, '.mcpgw', 'archive')
  const names = readdirSync(folder).filter(name => name.endsWith('.jsonl'))
  return names.flatMap(name =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .flatMap(text => {
        const line = text === '' ? undefined : readLine(text)
        if (text !== '' && line === undefined) throw new Error(`${name}: no line of an export: ${text.slice(0, 100)}`)
        return line?.kind === 'record' ? [read(line.body)] : []
      }),
  )
}

describe.skipIf(!isBuilt)('retention that is killed', () => {
  test('leaves no process behind, stops no call, and loses no record', {
    timeout: (process.env.MCPGW_CHAOS === 'full' ? 30 : 10) * MINUTES,
  }, async () => {
    const dir = createFolder()
    const config = {
      servers: [{ id: 'odd', ...oddServer() }],
      plugins: [anchoredAudit(dir, { retention: { keep: '400d', export: 'archive' } }), 'meter'],
    }
    // Each round a year and more later than the one before: what that one left is too old.
    const start = (round: number): Promise<Product> =>
      startProduct({ dir, config, env: { NODE_OPTIONS: `--import=${early.href}`, TEST_DAYS_AHEAD: String(401 * round) } })
    let answered = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const product = await start(round)
      const load = await startLoad(product.origin, { tool: 'odd__echo', prefix: `round${round}`, perSecond: 200, atOnce: 32 })
      for (let kills = 0; kills < 2; kills++) {
        const worker = await workerOf(product)
        await sleep(Math.random() * 1500)
        try {
          process.kill(worker, 'SIGKILL')
        } catch {
          // It was done already.
        }
        await untilGone([worker])
      }
      await load.answers(200)
      const worker = await workerOf(product)
      await sleep(Math.random() * 1000)
      if (round % 2 === 0) {
        await load.end()
        expect([...load.failed]).toEqual([])
        expect(await product.stop()).toEqual({ code: 0, signal: null })
      } else {
        product.signal('SIGKILL')
        await load.end()
        await product.exited
        expect([...load.failed.keys()].filter(code => code !== 'cut')).toEqual([])
      }
      await untilGone([worker])
      answered += load.answered.size
      const { code, said } = verify(dir, anchorIn(dir))
      expect(code, said).toBe(0)
    }

    // One that is killed is told, and the next one clears that.
    const last = await start(ROUNDS + 1)
    process.kill(await workerOf(last), 'SIGKILL')
    const { components } = await untilHealth(last.origin, one => JSON.stringify(one).includes('was ended by SIGKILL'))
    expect(components.find(one => one.name === 'audit')).toMatchObject({ status: 'degraded' })
    await untilHealth(last.origin, one => !JSON.stringify(one).includes('retention'))
    expect((await last.stop()).code).toBe(0)
    expect(verify(dir, anchorIn(dir))).toMatchObject({ code: 0 })
    const archive = runCli(['audit', 'verify', join(dir, '.mcpgw', 'archive')], dir)
    // All of it fits, and nothing says that there is no more.
    expect(archive.code, archive.out + archive.err).toBe(4)

    const [kept, archived] = [inLog(dir), inArchive(dir)]
    const all = new Map([...archived, ...kept].map(one => [one.place, one]))
    expect(archived.length).toBeGreaterThan(kept.length)
    const heads = new Map<string, number>()
    for (const place of all.keys()) {
      const [stream, seq] = place.split(' ') as [string, string]
      heads.set(stream, Math.max(heads.get(stream) ?? 0, Number(seq)))
    }
    expect([...heads.values()].reduce((sum, one) => sum + one, 0)).toBe(all.size)
    expect([...all.values()].filter(({ type, outcome }) => type === 'outcome' && outcome === 'answered').length).toBeGreaterThanOrEqual(
      answered,
    )
    const stages = [...all.values()].flatMap(({ type, detail }) => (type === 'log.retention' ? [detail?.stage] : []))
    expect(stages.filter(stage => stage === 'begin').length).toBeGreaterThanOrEqual(stages.filter(stage => stage === 'end').length)
    expect(stages).toContain('end')
  })
})
