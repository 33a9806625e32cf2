// A client of its own process: `node overload-client.mjs URL TOOL closed CALLERS MS` waits for each answer, `... open PER_SECOND MS` sends at its rate whatever becomes of it. Prints one object.
import { Agent, request } from 'node:http'
import { echoCall, initialized, initializeParams, messageText } from './messages.mjs'
import { percentile } from './statistics.mjs'

const [url = '', tool = '', kind = '', amount = '', ms = ''] = process.argv.slice(2)
const WARM_MS = 500
const TICK_MS = 5
/** What is not answered by then is not waited for: nobody would. */
const PATIENCE_MS = 10_000

const agent = new Agent({ keepAlive: true, maxSockets: 8000, maxFreeSockets: 8000 })
const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' }
const call = echoCall(tool, 100)
let lastId = 0

/** @param {string} body @param {Record<string, string>} headers @returns {Promise<{ status: number, session: string, text: string }>} */
const post = (body, headers) =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { agent, method: 'POST', headers: { ...common, ...headers, 'content-length': Buffer.byteLength(body) } },
      response => {
        /** @type {Buffer[]} */
        const chunks = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            session: String(response.headers['mcp-session-id']),
            text: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.setTimeout(PATIENCE_MS, () => outgoing.destroy(new Error('no answer in time')))
    outgoing.end(body)
  })

const { session } = await post(messageText(0, 'initialize', initializeParams), {})
const own = { 'mcp-session-id': session }
await post(initialized, own)

/** @type {number[]} */
let good = []
/** @type {number[]} */
let refused = []
/** @type {Record<string, number>} */
let failed = {}
let sent = 0

async function once() {
  const at = performance.now()
  try {
    const { status, text } = await post(messageText(++lastId, 'tools/call', call.params), own)
    const took = performance.now() - at
    if (status === 200 && text.includes(call.encoded.toString())) good.push(took)
    else if (status === 503 && text.includes('"overloaded"')) refused.push(took)
    else failed[`status ${status}`] = (failed[`status ${status}`] ?? 0) + 1
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    failed[why] = (failed[why] ?? 0) + 1
  }
}

/** @param {number} forMs */
async function closed(forMs) {
  const end = performance.now() + forMs
  const loop = async () => {
    while (performance.now() < end) {
      sent++
      await once()
    }
  }
  await Promise.all(Array.from({ length: Number(amount) }, loop))
}

/** @param {number} forMs */
async function open(forMs) {
  const began = performance.now()
  /** @type {Promise<void>[]} */
  const all = []
  for (let first = sent; performance.now() - began < forMs; await new Promise(resolve => setTimeout(resolve, TICK_MS)))
    while (sent - first < ((performance.now() - began) / 1000) * Number(amount)) {
      sent++
      all.push(once())
    }
  await Promise.all(all)
}

const run = kind === 'closed' ? closed : open
await (kind === 'closed' ? closed(WARM_MS) : Promise.resolve())
;[good, refused, failed, sent] = [[], [], {}, 0]
const began = performance.now()
await run(Number(ms))
const seconds = (performance.now() - began) / 1000
agent.destroy()
const times = (/** @type {number[]} */ of) => ({ perSecond: of.length / seconds, p50: percentile(of, 0.5), p99: percentile(of, 0.99) })
console.log(JSON.stringify({ seconds, sent: sent / seconds, good: times(good), refused: times(refused), failed }))
