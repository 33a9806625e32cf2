// Many clients that only listen, as a process of its own: `node stream-crowd.mjs legacy|modern PORT COUNT PER_SECOND`. Says once a second how many streams are open, and how many were told of a change.
import { connect } from 'node:net'

const [era = '', port = '', count = '', perSecond = ''] = process.argv.slice(2)
const TICK_MS = 100
/** Streams of one modern client: the gateway takes no more than a hundred, and no more than fifty clients of one principal. */
const OF_ONE = 50
/** How much of what comes may be cut in the middle of a word that is looked for. */
const REST = 100

/** @param {string} method @param {string} headers @param {string} body */
const requestOf = (method, headers, body) =>
  `${method} /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`

/** @param {number} i */
const hello = i =>
  `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"listener ${i}","version":"1"}}}`

/** @param {number} i */
function listen(i) {
  const meta = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"listener ${Math.floor(i / OF_ONE)}","version":"1"}`
  return requestOf(
    'POST',
    'mcp-protocol-version: 2026-07-28\r\nmcp-method: subscriptions/listen\r\n',
    `{"jsonrpc":"2.0","id":${i},"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},"_meta":{${meta}}}}`,
  )
}

/** `again`: connections that the gateway ended before a stream was open on them, as it does with whoever is late with a request: on a busy machine these are. */
const told = { begun: 0, open: 0, heard: 0, ended: 0, again: 0, refused: '' }

/** @param {number} i */
function openOne(i) {
  const socket = connect({ port: Number(port), host: '127.0.0.1' }).setEncoding('latin1')
  let isOpen = false
  let hasHeard = false
  let text = ''
  socket.write(era === 'legacy' ? requestOf('POST', '', hello(i)) : listen(i))
  socket.on('data', chunk => {
    text += chunk
    if (!isOpen && /^HTTP\/1.1 (?!20)/m.test(text)) told.refused = text.slice(0, 500)
    const session = /^mcp-session-id: (\S+)\r$/im.exec(text)?.[1]
    if (era === 'legacy' && session !== undefined && text.includes('"serverInfo"')) {
      const own = `mcp-session-id: ${session}\r\nmcp-protocol-version: 2025-11-25\r\n`
      socket.write(requestOf('POST', own, '{"jsonrpc":"2.0","method":"notifications/initialized"}') + requestOf('GET', own, ''))
      text = ''
    }
    if (!isOpen && /^content-type: text\/event-stream/im.test(text) && (era === 'legacy' || text.includes('/subscriptions/acknowledged'))) {
      isOpen = true
      told.open++
    }
    if (!isOpen) return
    if (!hasHeard && text.includes('/tools/list_changed')) {
      hasHeard = true
      told.heard++
    }
    text = text.slice(-REST)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    if (!isOpen) {
      told.again++
      return openOne(i)
    }
    told.ended++
    told.open--
  })
}

const opening = setInterval(() => {
  for (let i = 0; i < (Number(perSecond) * TICK_MS) / 1000 && told.begun < Number(count); i++) openOne(told.begun++)
  if (told.begun === Number(count)) clearInterval(opening)
}, TICK_MS)
setInterval(() => process.stdout.write(`${JSON.stringify(told)}\n`), 500)
