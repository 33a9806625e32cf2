// A lean MCP client over Streamable HTTP: raw JSON bodies through an undici pool, so that the client is not what is measured.
import { Pool } from 'undici'
import { BENCH_KEY } from './gateway.mjs'
import { initialized, initializeParams, messageText, withEnvelope } from './messages.mjs'

/**
 * @typedef {object} Client one MCP session with a target
 * @property {(method: string, params: string) => Promise<Buffer>} request sends JSON text params, gives the bytes of the answer
 * @property {() => Promise<void>} close
 */

/**
 * Connections for `openSession`, kept between sessions.
 * @param {string} url of the MCP endpoint
 * @param {number} connections how many requests may be under way at once
 */
export function openPool(url, connections) {
  const { origin, pathname } = new URL(url)
  return { pool: new Pool(origin, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 }), path: pathname }
}

/**
 * @param {string} url
 * @param {number} connections
 * @returns {Promise<Client>}
 */
export async function connectHttp(url, connections) {
  const { pool, path } = openPool(url, connections)
  try {
    const session = await openSession(pool, path)
    return { request: session.request, close: () => pool.destroy() }
  } catch (error) {
    await pool.destroy()
    throw error
  }
}

/**
 * A client of 2026-07-28: nothing is opened, each request says all of it.
 * @param {string} url
 * @param {number} connections
 * @returns {Client}
 */
export function connectStateless(url, connections) {
  const { pool, path } = openPool(url, connections)
  let lastId = 0
  const base = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2026-07-28' }
  return {
    async request(method, params) {
      const name = /"name":"([^"]*)"/.exec(params.slice(0, 200))?.[1]
      const headers = { ...base, 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) }
      const body = messageText(++lastId, method, withEnvelope(params))
      return (await post(pool, path, headers, body)).body
    },
    close: () => pool.destroy(),
  }
}

/**
 * The whole handshake: initialize, then notifications/initialized.
 * @param {Pool} pool
 * @param {string} path
 */
export async function openSession(pool, path) {
  let lastId = 0
  /** @type {Record<string, string>} */
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'x-api-key': BENCH_KEY }
  const hello = await post(pool, path, headers, messageText(++lastId, 'initialize', initializeParams))
  if (hello.session !== undefined) headers['mcp-session-id'] = hello.session
  headers['mcp-protocol-version'] = '2025-11-25'
  await post(pool, path, headers, initialized)
  return {
    /** @param {string} method @param {string} params */
    request: async (method, params) => (await post(pool, path, headers, messageText(++lastId, method, params))).body,
    end: () => pool.request({ path, method: 'DELETE', headers }).then(answer => answer.body.dump()),
  }
}

/**
 * @param {Pool} pool
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {string} body
 * @returns {Promise<{ session: string | undefined, body: Buffer }>}
 */
function post(pool, path, headers, body) {
  return new Promise((resolve, reject) => {
    /** @type {Buffer[]} */
    const chunks = []
    /** @type {string | undefined} */
    let session
    let status = 0
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, code, answerHeaders) {
          status = code
          session = /** @type {string | undefined} */ (answerHeaders['mcp-session-id'])
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk)
        },
        onResponseEnd() {
          const whole = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
          if (status === 200 || status === 202) resolve({ session, body: whole })
          else reject(new Error(`HTTP ${status}: ${whole.toString().slice(0, 300)}`))
        },
        onResponseError(_controller, error) {
          reject(error)
        },
      },
    )
  })
}
