// Many connections that hold a gateway up, as a process of its own: `node slow-crowd.mjs senders|readers PORT COUNT PER_SECOND`. Says once a second what has become of them.
import { connect } from 'node:net'
import { setPriority } from 'node:os'

const [kind = '', port = '', count = '', perSecond = ''] = process.argv.slice(2)
// It stands for other machines: what it costs is not to be missing here.
setPriority(19)
const HEAD = `POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\n`
const meta = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"up__large","arguments":{},"_meta":{${meta}}}}`
const mirrored = 'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: up__large\r\n'
const TICK_MS = 100
/** How often a sender says one byte more. */
const BYTE_MS = 2000

let opened = 0
let cut = 0
let failed = 0
let longestMs = 0
const open = new Set()

/** @type {readonly (() => { first: string, more: string })[]} */
const ways = [
  // Headers without an end, a body without an end, and not a word.
  () => ({ first: `${HEAD}x-a: `, more: 'b' }),
  () => ({ first: `${HEAD}content-length: 1000\r\n\r\n{`, more: ' ' }),
  () => ({ first: '', more: '' }),
]

function openOne() {
  const { first, more } =
    kind === 'readers'
      ? { first: `${HEAD}${mirrored}content-length: ${call.length}\r\n\r\n${call}`, more: '' }
      : ways[opened % ways.length]()
  opened++
  let began = 0
  const socket = connect({ port: Number(port), host: '127.0.0.1' })
  open.add(socket)
  let timer
  socket.on('connect', () => {
    began = performance.now()
    if (first !== '') socket.write(first)
    if (more !== '') timer = setInterval(() => socket.write(more), BYTE_MS)
  })
  // A reader takes nothing at all; a sender hears when it is cut.
  if (kind === 'readers') socket.pause()
  else socket.resume()
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(timer)
    open.delete(socket)
    if (began === 0) failed++
    else {
      cut++
      longestMs = Math.max(longestMs, performance.now() - began)
    }
  })
}

// A socket that takes nothing does not hear of its end either: at the end all read.
process.stdin.on('data', () => {
  clearInterval(opening)
  for (const socket of open) socket.resume()
})
const opening = setInterval(() => {
  for (let i = 0; i < (Number(perSecond) * TICK_MS) / 1000 && open.size < Number(count); i++) openOne()
}, TICK_MS)
setInterval(() => {
  process.stdout.write(`${JSON.stringify({ open: open.size, opened, cut, failed, longestMs: Math.round(longestMs) })}\n`)
}, 1000)
