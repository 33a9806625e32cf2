// A client of its own process: `node overload-client.mjs URL TOOL closed CALLERS MS` waits for each answer, `... open PER_SECOND MS` sends at its rate whatever becomes of it. Prints one object.
import { connect } from 'node:net'
import { echoCall, initialized, initializeParams, messageText } from './messages.mjs'
import { percentile } from './statistics.mjs'

const [url = '', tool = '', kind = '', amount = '', ms = ''] = process.argv.slice(2)
const WARM_MS = 500
const TICK_MS = 5
/** What is not answered by then is not waited for: nobody would. */
const PATIENCE_MS = 10_000
const MOST_SOCKETS = 8000
/** Of the gateway as a whole, and of its gate in front of the one server. */
const REFUSALS = /"overloaded"|"upstream-busy"/

const { hostname, port, pathname, host } = new URL(url)
const call = echoCall(tool, 100)
let lastId = 0

/**
 * As little as can be: each answer has a length, and one is under way on a connection.
 * @typedef {{ status: number, session: string, text: string }} Got
 * @typedef {{ socket: import('node:net').Socket, waits: ((got: Got | Error) => void) | undefined, seen: string }} Line
 */

/** @type {Line[]} */
const idle = []
let open = 0

function dial() {
  open++
  /** @type {Line} */
  const line = { socket: connect(Number(port), hostname), waits: undefined, seen: '' }
  line.socket.setNoDelay(true).setEncoding('latin1')
  line.socket.on('data', chunk => read(line, String(chunk)))
  const end = (/** @type {string} */ why) => {
    const at = idle.indexOf(line)
    if (at >= 0) idle.splice(at, 1)
    settle(line, new Error(why))
  }
  line.socket.on('error', error => end(error.message))
  line.socket.on('close', () => {
    open--
    end('closed')
  })
  return line
}

/** @param {Line} line @param {Got | Error} got */
function settle(line, got) {
  const { waits } = line
  line.waits = undefined
  line.seen = ''
  waits?.(got)
}

/** @param {Line} line @param {string} chunk */
function read(line, chunk) {
  line.seen += chunk
  const end = line.seen.indexOf('\r\n\r\n')
  if (end < 0) return
  const head = line.seen.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const status = Number(head.slice(9, 12))
  if (length === undefined && status !== 202) return line.socket.destroy(new Error(`no length in ${head.slice(0, 100)}`))
  const text = line.seen.slice(end + 4)
  if (text.length < Number(length ?? 0)) return
  settle(line, { status, session: /\r\nmcp-session-id: *(\S+)/i.exec(head)?.[1] ?? '', text })
  if (/\r\nconnection: *close/i.test(head)) line.socket.destroy()
  else idle.push(line)
}

/** @param {string} body @param {string} [session] @returns {Promise<Got>} */
function post(body, session = '') {
  const line = idle.pop() ?? (open < MOST_SOCKETS ? dial() : undefined)
  if (line === undefined) return Promise.reject(new Error('no socket left'))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => line.socket.destroy(new Error('no answer in time')), PATIENCE_MS)
    line.waits = got => {
      clearTimeout(timer)
      if (got instanceof Error) reject(got)
      else resolve(got)
    }
    line.socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\n${session && `mcp-session-id: ${session}\r\n`}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  })
}

const { session } = await post(messageText(0, 'initialize', initializeParams))
await post(initialized, session)

/** @type {number[]} */
let good = []
/** @type {number[]} */
let refused = []
/** @type {Record<string, number>} */
let failed = {}
let sent = 0
const wanted = call.encoded.toString('latin1')

async function once() {
  const at = performance.now()
  try {
    const { status, text } = await post(messageText(++lastId, 'tools/call', call.params), session)
    const took = performance.now() - at
    if (status === 200 && text.includes(wanted)) good.push(took)
    else if (REFUSALS.test(text)) refused.push(took)
    else count(`status ${status}: ${/"code":"?([\w-]+)/.exec(text)?.[1]}`)
  } catch (error) {
    count(error instanceof Error ? error.message : String(error))
  }
}

/** @param {string} why */
function count(why) {
  failed[why] = (failed[why] ?? 0) + 1
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
async function atRate(forMs) {
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

if (kind === 'closed') await closed(WARM_MS)
;[good, refused, failed, sent] = [[], [], {}, 0]
const seconds = Number(ms) / 1000
/** What comes while nothing more is sent says nothing of a rate. */
let [goodInTime, refusedInTime] = [0, 0]
setTimeout(() => {
  goodInTime = good.length
  refusedInTime = refused.length
}, Number(ms))
await (kind === 'closed' ? closed : atRate)(Number(ms))
const times = (/** @type {number[]} */ of, /** @type {number} */ inTime) => ({
  perSecond: inTime / seconds,
  p50: percentile(of, 0.5),
  p99: percentile(of, 0.99),
})
console.log(
  JSON.stringify({ seconds, sent: sent / seconds, good: times(good, goodInTime), refused: times(refused, refusedInTime), failed }),
)
process.exit(0)
