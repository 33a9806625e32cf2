// `npm run soak`: mixed calls at a steady rate for a long time, servers that die, policies that are reloaded, clients that come and go; and whether anything grew.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startMixed } from '../chaos/mixed-calls.ts'
import { isBuilt } from '../e2e/cli.ts'
import { hangUp, openSession, post } from '../e2e/rpc.ts'
import { KEY, type Soaking, startSoaking } from './gateway.ts'
import { judge, MORE_OPEN, type Sample } from './judge.ts'
import { readLedger } from './ledger.ts'

const HEADERS = ['authorization', `Bearer ${KEY}`]
/** In half an hour: 360 samples, 500 reloads, 200 deaths of a server; one that dies more often is left alone for a while, as it should be. */
const EVERY_MS = { sample: 5000, reload: 3600, death: 9000 }
const SETTLE_MS = 60_000
/** In so long whatever is opened when it is first needed is open: the uses of keys and checkpoints are written once a minute. */
const OPENED_MS = 75_000
const LONG_S = 120

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '1800' }, rate: { type: 'string', default: '200' }, dir: { type: 'string' } },
})
const [seconds, rate] = [Number(values.seconds), Number(values.rate)]
if (!(seconds >= 5) || !(rate >= 1) || !isBuilt) {
  console.error('usage: npm run soak -- [--seconds 1800] [--rate 200] [--dir FOLDER], after npm run build')
  process.exit(2)
}
const dir = mkdtempSync(join(values.dir ?? tmpdir(), 'mcpgw-soak-'))
process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
process.exitCode = await soak()

async function soak(): Promise<number> {
  const gateway = await startSoaking(dir)
  const first = await openSession(gateway.origin, HEADERS)
  for (const server of ['odd', 'twin', 'frail']) await first.call(`${server}__echo`, { name: 'first' })
  if (seconds >= LONG_S) await sleep(OPENED_MS)
  const before = await gateway.sample(0)
  const load = startMixed({
    origins: () => [gateway.origin],
    prefix: 'soak',
    headers: HEADERS,
    kinds: ['plain', 'masked', 'twin', 'list', 'plain', 'slow', 'twin', 'denied', 'plain', 'list'],
    perSecond: rate,
    callers: 32,
    sessionCalls: 50,
  })
  const samples: Sample[] = []
  let [reloads, deaths] = [0, 0]
  const began = performance.now()
  const elapsed = (): number => (performance.now() - began) / 1000
  const every = async (ms: number, work: () => Promise<void> | void): Promise<void> => {
    for (let due = ms; elapsed() < seconds; due += ms) {
      await sleep(Math.max(0, due - elapsed() * 1000))
      await work()
    }
  }
  await Promise.all([
    every(EVERY_MS.sample, async () => void samples.push(await gateway.sample(elapsed()))),
    every(EVERY_MS.reload, () => {
      reloads++
      gateway.reload()
    }),
    every(EVERY_MS.death, async () => {
      deaths++
      const last = await openSession(gateway.origin, HEADERS)
      await last.call('frail__die').catch(() => {})
      await post(gateway.origin, '', { method: 'DELETE', headers: [...HEADERS, 'mcp-session-id', last.id] })
    }),
  ])
  await load.end()
  const took = elapsed()
  const restarts = await gateway.restarts()
  const metrics = await gateway.metrics()
  hangUp()
  const after = await settled(gateway, before)
  const code = await gateway.stop()
  if (code !== 0) console.error(`the gateway ended with ${code}`)

  const count = (ending: string): number =>
    [...load.failed].reduce((sum, [key, times]) => (key.endsWith(` ${ending}`) ? sum + times : sum), 0)
  const ledger = readLedger(dir, metrics, load)
  const figures = judge({ samples, idle: [before, after], ledger, wrong: count('wrong') + count('cut') })
  const machine = `${cpus().length} cores, ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}`
  console.log(`${machine}, Node ${process.versions.node}`)
  console.log(
    `${load.sent()} requests in ${took.toFixed(0)} s (${(load.sent() / took).toFixed(0)}/s; asked for ${rate}/s): ${load.answered.size} calls and ${load.lists()} lists answered, ` +
      `${JSON.stringify(Object.fromEntries(load.failed))}; ${reloads} reloads, ${deaths} deaths of a server, ${restarts} restarts`,
  )
  for (const { what, value, bound, isGood } of figures) console.log(`${isGood ? 'ok  ' : 'MISS'}  ${what}: ${value} (${bound})`)
  return code === 0 && figures.every(({ isGood }) => isGood) ? 0 : 1
}

/** What is not closed within a minute is open still. */
async function settled(gateway: Soaking, before: Sample): Promise<Sample> {
  for (const until = performance.now() + SETTLE_MS; ; ) {
    const now = await gateway.sample(0)
    if ((now.fds <= before.fds + MORE_OPEN && now.handles <= before.handles + MORE_OPEN) || performance.now() > until) return now
    await sleep(1000)
  }
}
