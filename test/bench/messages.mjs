// The JSON-RPC texts the benchmark sends, and how it makes sure that what came back is an answer and not a fast refusal.
import { sampleText } from '../fixtures/upstream/sample-text.mjs'

const BIGGEST_SEARCHED = 4096

export const initializeParams = JSON.stringify({
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'mcpgw-bench', version: '1.0.0' },
})
export const initialized = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

const ENVELOPE = JSON.stringify({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'mcpgw-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
})

/**
 * What a request of 2026-07-28 says of its client.
 * @param {string} params JSON text of an object without `_meta`
 */
export const withEnvelope = params => `${params.slice(0, -1)}${params === '{}' ? '' : ','}"_meta":${ENVELOPE}}`

/**
 * @param {number} id
 * @param {string} method
 * @param {string} params JSON text
 */
export function messageText(id, method, params) {
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`
}

/**
 * @typedef {object} Call a tool call whose answer is known
 * @property {string} params JSON text
 * @property {string} text what the answer must hold
 * @property {Buffer} encoded the same as it stands in the JSON of the answer
 */

/**
 * A call whose payload goes up and comes back.
 * @param {string} tool name as the target knows it
 * @param {number} length of the text
 * @returns {Call}
 */
export function echoCall(tool, length) {
  const text = sampleText(length)
  const encoded = JSON.stringify(text)
  return { params: `{"name":"${tool}","arguments":{"text":${encoded}}}`, text, encoded: Buffer.from(encoded) }
}

/**
 * A small call with a large answer, as when a file is read.
 * @param {string} tool
 * @param {number} length of the text in the answer
 * @returns {Call}
 */
export function sizedCall(tool, length) {
  const text = sampleText(length)
  return { params: `{"name":"${tool}","arguments":{"size":${length}}}`, text, encoded: Buffer.from(JSON.stringify(text)) }
}

/**
 * The full check, outside of what is timed. Throws, for a benchmark of wrong answers is worth nothing.
 * @param {import('./http-client.mjs').Client} client
 * @param {Call} call
 */
export async function verifyCall(client, call) {
  const answer = parseAnswer(await client.request('tools/call', call.params))
  const text = answer?.result?.content?.[0]?.text
  if (text !== call.text) throw new Error(`wrong answer to a call: ${JSON.stringify(answer).slice(0, 400)}`)
}

/**
 * The cheap check, on each timed call: the payload itself where it is small, the length where it is large.
 * @param {Buffer} answer
 * @param {Call} call
 */
export function checkAnswer(answer, call) {
  const fits = call.encoded.length <= BIGGEST_SEARCHED ? answer.includes(call.encoded) : answer.length > call.encoded.length
  if (!fits) throw new Error(`wrong answer to a call: ${answer.toString().slice(0, 400)}`)
}

/**
 * @param {Buffer} answer a JSON body or an event stream of which the last data line is the answer
 * @returns {any}
 */
export function parseAnswer(answer) {
  const text = answer.toString().trim()
  if (text.startsWith('{')) return JSON.parse(text)
  const data = text.split('\n').filter(line => line.startsWith('data:'))
  return JSON.parse((data.at(-1) ?? 'data:null').slice(5))
}
