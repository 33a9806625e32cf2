// A client that calls at a steady rate over a few connections, as a process of its own: `node steady-client.mjs PORT PER_SECOND`. On each line of its input it tells of the calls since the last.
import { Agent, request } from 'node:http'

const [port = '', perSecond = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** @param {string} body @param {Record<string, string>} headers @returns {Promise<{ status: number, session: string, text: string }>} */
const post = (body, headers) =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', agent, method: 'POST', path: '/mcp', headers: { ...common, ...headers } },
      response => {
        let text = ''
        response.on('data', chunk => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, session: String(response.headers['mcp-session-id']), text }))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'steady', version: '1' } }
const { session } = await post(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }), {})
const own = { 'mcp-session-id': session }
await post('{"jsonrpc":"2.0","method":"notifications/initialized"}', own)
const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__echo","arguments":{}}}'
await post(body, own)

/** @type {number[]} */
let took = []
let failures = 0
let sent = 0
const began = performance.now()
setInterval(() => {
  while (sent < ((performance.now() - began) / 1000) * Number(perSecond)) {
    sent++
    const at = performance.now()
    post(body, own).then(
      ({ status, text }) => (status === 200 && text.includes('"small"') ? took.push(performance.now() - at) : failures++),
      () => failures++,
    )
  }
}, 5)
process.stdin.on('data', () => {
  const sorted = took.toSorted((a, b) => a - b)
  const at = share => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  process.stdout.write(`${JSON.stringify({ calls: sorted.length, failures, p50: at(0.5), p99: at(0.99) })}\n`)
  took = []
  failures = 0
})
