// A lean MCP client over stdio: one line a message, replies found by their id without parsing the rest of the line.
import { splitLines } from '../fixtures/upstream/line-splitter.mjs'
import { initialized, initializeParams, messageText } from './messages.mjs'

const ID_KEY = Buffer.from('"id":')

/**
 * @param {import('./processes.mjs').Started} target a process that speaks MCP on its stdin and stdout
 * @returns {Promise<import('./http-client.mjs').Client>}
 */
export async function connectStdio(target) {
  const { stdin, stdout } = target.child
  /** @type {Map<number, { resolve: (line: Buffer) => void, reject: (error: Error) => void }>} */
  const waiting = new Map()
  let lastId = 0

  stdout.on(
    'data',
    splitLines(line => {
      const id = readId(line)
      waiting.get(id)?.resolve(line)
      waiting.delete(id)
    }),
  )
  target.child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`the target ended: ${target.complaints()}`))
    waiting.clear()
  })

  /** @type {import('./http-client.mjs').Client['request']} */
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      stdin.write(`${messageText(id, method, params)}\n`)
    })

  await request('initialize', initializeParams)
  stdin.write(`${initialized}\n`)
  return { request, close: async () => {} }
}

/**
 * The number after the first `"id":`. The payloads hold no such text, and inside a JSON string its quotes would be escaped.
 * @param {Buffer} line
 */
function readId(line) {
  const at = line.indexOf(ID_KEY)
  return at === -1 ? -1 : Number.parseInt(line.toString('latin1', at + ID_KEY.length, at + ID_KEY.length + 16), 10)
}
