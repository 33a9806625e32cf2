// Continuous exports: records a second that the built gateway brings from a log to a file, in three forms, and to a webhook on this machine. The log is
// made here, record by record as the gateway would, with what is personal sealed.
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gatewayIsBuilt, startGateway } from './gateway.mjs'
import { readCpuSeconds } from './processes.mjs'

const RECORDS = { full: 200_000, quick: 50_000 }
const BATCH = 5000
const SUBJECTS = 1000
const STREAM = 'bench.boot'
const POLL_MS = 2
const WITHIN_MS = 300_000

/** What is measured: the name of the export, and its settings. @type {readonly (readonly [string, Record<string, unknown>])[]} */
const EXPORTS = [
  ['file', { file: 'out.mcpgw' }],
  ['file-ocsf', { file: 'out.ocsf', form: 'ocsf' }],
  ['file-evidence', { file: 'out.evidence', form: 'evidence' }],
  ['webhook', {}],
]

/**
 * @typedef {object} ExportResults
 * @property {number} records
 * @property {Record<string, { perSecond: number, cpuSeconds: number }>} exports by name; CPU of the whole gateway for 1,000 records
 */

/**
 * @param {import('./run.mjs').Settings} settings
 * @returns {Promise<ExportResults | undefined>}
 */
export async function benchExport(settings) {
  if (!gatewayIsBuilt()) return undefined
  const dir = join(settings.dir, 'export')
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true })
  const records = settings.windowFactor < 1 ? RECORDS.quick : RECORDS.full
  settings.progress(`export: a log of ${records} records`)
  await makeLog(data, records)
  /** @type {ExportResults['exports']} */
  const exports = {}
  const receiver = await startReceiver()
  try {
    for (const [name, given] of EXPORTS) {
      settings.progress(`export: ${name}`)
      const target = name === 'webhook' ? { webhook: receiver.url } : given
      exports[name] = await measure(dir, { name, ...target }, records)
    }
  } finally {
    receiver.close()
  }
  return { records, exports }
}

/** From the first batch that is known to have arrived to the one that ends the log. @param {string} dir @param {{ name: string } & Record<string, unknown>} config @param {number} records */
async function measure(dir, config, records) {
  const plugins = [{ audit: { durability: 'os', exports: [config] } }]
  const gateway = await startGateway({
    dir,
    upstream: { command: process.execPath, args: ['-e', ''], enabled: false },
    plugins,
    downstream: 'http',
  })
  const state = join(dir, 'data', `audit.db.export-${config.name}`)
  const until = performance.now() + WITHIN_MS
  /** @type {{ at: number, records: number, cpu: number } | undefined} */
  let first
  try {
    for (;;) {
      const done = readRecords(state)
      const now = { at: performance.now(), records: done, cpu: readCpuSeconds(gateway.pid) }
      if (done > 0) first ??= now
      if (first !== undefined && done >= records) {
        const more = now.records - first.records
        return { perSecond: (1000 * more) / (now.at - first.at), cpuSeconds: (1000 * (now.cpu - first.cpu)) / more }
      }
      if (now.at > until) throw new Error(`export ${config.name}: ${done} of ${records} after ${WITHIN_MS} ms: ${gateway.complaints()}`)
      await sleep(POLL_MS)
    }
  } finally {
    await gateway.stop()
  }
}

/** @param {string} path of what the export keeps */
function readRecords(path) {
  try {
    return Number(JSON.parse(readFileSync(path, 'utf8')).records)
  } catch {
    return 0
  }
}

/** Takes everything, as fast as it can. @returns {Promise<{ url: string, close(): void }>} */
function startReceiver() {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(204).end())
  })
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      resolve({ url: `http://127.0.0.1:${port}/audit`, close: () => server.close() })
    })
  })
}

/** Intents and outcomes of a thousand callers, as a gateway stores them. @param {string} data @param {number} count */
async function makeLog(data, count) {
  const from = (/** @type {string} */ file) => import(new URL(`../../dist/plugins/audit/${file}.js`, import.meta.url).href)
  const { createStores } = await import(new URL('../../dist/core/store/index.js', import.meta.url).href)
  const [{ sqliteStore }, { leafOf, linkLeaf }, { openStream }, { loadMasterKey }, { createSubjects, deriveKeys }] = await Promise.all(
    ['store/sqlite', 'chain', 'store/log-store', 'master-key', 'subjects'].map(from),
  )
  const clock = { now: () => Date.now(), mono: () => performance.now(), after: () => () => {} }
  const keys = deriveKeys(loadMasterKey(join(data, 'audit.db.key')))
  const subjects = createSubjects(keys, [], clock, { now: clock.now(), mono: clock.mono() })
  const people = Array.from({ length: SUBJECTS }, (_, i) => subjects.of({ tenant: 'acme', id: `agent-${i}` }))
  const store = sqliteStore(createStores({ dataDir: data }), 'audit.db', 'os')
  const writer = await store.writer(STREAM)
  let rows = [openStream(STREAM), ...people.map(person => person.row)]
  let link = '0'.repeat(64)
  for (let seq = 1; seq <= count; seq++) {
    const at = Date.now() - 60_000
    const { type, call, members } = describe(seq, people)
    const text = `\0{"v":2,"stream":"${STREAM}","seq":${seq},"type":"${type}","at":${at},"mono":${seq}${members},"durability":"os"}`
    const next = linkLeaf(link, leafOf(text))
    rows.push({ sql: 0, params: [STREAM, seq, at, type, call, link, next, text.slice(1)] })
    link = next
    if (seq % BATCH !== 0 && seq !== count) continue
    await writer.append(rows)
    rows = []
  }
  await writer.close()
  await store.close()
}

/** @param {number} seq @param {readonly { id: string, seal(text: string, context: string): string }[]} people */
function describe(seq, people) {
  if (seq === 1) return { type: 'stream.start', call: '', members: ',"detail":{"after":null,"closes":[]}' }
  const call = `m000000-0123456789-${(seq >> 1).toString(36).padStart(6, '0')}`
  const person = people[(seq >> 1) % people.length] ?? people[0]
  if (person === undefined) throw new Error('there is nobody')
  const type = seq % 2 === 0 ? 'intent' : 'outcome'
  const name = '"actor":{"id":"agent","roles":["reader"],"method":"api-key","keyId":"k1"},"source":{"ip":"127.0.0.1"}'
  const content = type === 'intent' ? `,"args":{"path":"/srv/files/report.txt","text":"${'word '.repeat(20)}"}` : ''
  const personal = person.seal(`{${name}${content}}`, `${type} ${call}`)
  const who = `,"callId":"${call}","tenant":"acme","subject":"${person.id}"`
  const what = ',"action":"tools/call","server":"files","tool":"read"'
  const more =
    type === 'intent'
      ? `,"client":{"name":"bench","version":"1"},"transport":"http","protocolVersion":"2025-11-25","toolDefHash":"sha256:${'0'.repeat(64)}","decision":{"outcome":"allow","rules":["bench"]},"argsBytes":140`
      : ',"outcome":"answered","requestBytes":140,"resultBytes":100,"durationMs":1.5,"upstreamMs":1.2'
  return { type, call, members: `${who}${what}${more},"personal":"${personal}"` }
}
