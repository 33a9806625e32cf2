// `audit verify` of a long log: records a second, and the most memory it had. The log is made here, record by record as the gateway would.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI, gatewayIsBuilt } from './gateway.mjs'

const RECORDS = { full: 2_000_000, quick: 200_000 }
const CHECKPOINT_EVERY = 1000
const POLL_MS = 100
const STREAM = 'bench.boot'

/**
 * @typedef {object} VerifyResults
 * @property {number} records
 * @property {number} perSecond the whole command, its start included
 * @property {number} peak MiB
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<VerifyResults | undefined>}
 */
export async function benchVerify(settings) {
  if (!gatewayIsBuilt()) return undefined
  const dir = join(settings.dir, 'verify')
  mkdirSync(dir)
  const records = Number(process.env.MCPGW_BENCH_RECORDS ?? (settings.windowFactor < 1 ? RECORDS.quick : RECORDS.full))
  settings.progress(`verify: a log of ${records} records`)
  await makeLog(dir, records)
  settings.progress('verify: the command')
  const began = performance.now()
  const args = [CLI, 'audit', 'verify', join(dir, 'log.db'), '--checkpoint', join(dir, 'note.txt'), '--key', join(dir, 'verifier.txt')]
  const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
  })
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, readPeak(child.pid ?? -1))
  }, POLL_MS)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  const seconds = (performance.now() - began) / 1000
  if (code !== 0 || !said.startsWith('PROVEN')) throw new Error(`audit verify ended with ${code}: ${said}`)
  return { records, perSecond: records / seconds, peak }
}

/** The most that was resident at once, in MiB. @param {number} pid */
function readPeak(pid) {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Intents and outcomes of 700 bytes, a checkpoint with each thousand. @param {string} dir @param {number} count */
async function makeLog(dir, count) {
  const from = (/** @type {string} */ file) => import(new URL(`../../dist/plugins/audit/${file}.js`, import.meta.url).href)
  const { createStores } = await import(new URL('../../dist/core/store/index.js', import.meta.url).href)
  const [{ sqliteStore }, { leafOf, linkLeaf }, { createTree }, { writeCheckpoint }, { writeFrontier }, { checkpointRow }, signing, notes] =
    await Promise.all([
      from('store/sqlite'),
      from('chain'),
      from('tree'),
      from('checkpoint'),
      from('checkpoint-row'),
      from('store/log-store'),
      from('signing-key'),
      from('note'),
    ])
  const stores = createStores({ dataDir: dir })
  const signer = signing.loadSigningKey(stores, join(dir, 'key.pem'))
  signing.publishVerifier(join(dir, 'verifier.txt'), signer)
  const store = sqliteStore(stores, join(dir, 'log.db'), 'os')
  const writer = await store.writer(STREAM)
  const tree = createTree()
  const args = `"args":{"text":"${'word '.repeat(80)}"}`
  let link = '0'.repeat(64)
  let rows = []
  let note = ''
  const members = (/** @type {number} */ seq) => {
    if (seq === 1) return { type: 'stream.start', call: '', more: '"detail":{"after":null,"closes":[]}' }
    // As the gateway makes them: short texts cost JSON.parse more memory than long ones.
    const call = `m000000-0123456789-${(seq >> 1).toString(36).padStart(6, '0')}`
    return seq % 2 === 0
      ? { type: 'intent', call, more: `"callId":"${call}","tenant":"acme","server":"files","tool":"read",${args}` }
      : { type: 'outcome', call, more: `"callId":"${call}","outcome":"answered","resultBytes":100,"durationMs":1.5` }
  }
  for (let seq = 1; seq <= count; seq++) {
    const at = 1_800_000_000_000 + seq
    const { type, call, more } = members(seq)
    const text = `\0{"v":2,"stream":"${STREAM}","seq":${seq},"type":"${type}","at":${at},"mono":${seq},${more}}`
    const leaf = leafOf(text)
    const next = linkLeaf(link, leaf)
    tree.add(leaf)
    rows.push({ sql: 0, params: [STREAM, seq, at, type, call, link, next, text.slice(1)] })
    link = next
    if (seq % CHECKPOINT_EVERY !== 0 && seq !== count) continue
    const state = { stream: STREAM, size: seq, root: tree.root() }
    note = notes.signNote(signer, writeCheckpoint({ origin: signer.name, at, streams: [state] }))
    rows.push(checkpointRow({ stream: STREAM, size: seq, at, frontier: writeFrontier(tree.frontier()), note }))
    await writer.append(rows)
    rows = []
  }
  await writer.close()
  writeFileSync(join(dir, 'note.txt'), note)
}
