// Clients that send raw text and hand on each message as it was written: over HTTP and over standard streams, to a server or to the gateway.
import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import type { ChildServer } from '../../core/config/schema.ts'
import { initialize } from '../core/data-plane/clients.ts'
import type { Era, Talker } from './exchange.ts'

const loud = '{"jsonrpc":"2.0","id":"loud","method":"logging/setLevel","params":{"level":"debug"}}'

export interface Opened extends Talker {
  close(): void
}

const capabilities = '{"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'
const hello = initialize('2025-11-25', capabilities)
const ready = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

export async function talkHttp(port: number, path: string, era: Era = 'legacy'): Promise<Opened> {
  const agent = new Agent({ keepAlive: true })
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  let closed = false
  const talker: Opened = {
    heard: () => {},
    // What is still on its way when all was heard goes down with its connection.
    send: text => void post('POST', text).catch((error: unknown) => (closed ? undefined : Promise.reject(error))),
    close() {
      closed = true
      agent.destroy()
    },
  }

  function post(method: 'POST' | 'GET', text?: string, begun: () => void = () => {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { port, host: '127.0.0.1', agent, method, path, headers: { ...headers, ...(era === 'modern' && mirror(text!)) } },
        response => {
          begun()
          const isStream = response.headers['content-type'] === 'text/event-stream'
          const session = response.headers['mcp-session-id']
          if (typeof session === 'string') headers['mcp-session-id'] = session
          let rest = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            rest += chunk
            if (!isStream) return
            const events = rest.split('\n\n')
            rest = events.pop()!
            // An event without data marks where the stream can be taken up again.
            for (const event of events) for (const line of event.split('\n')) if (line.startsWith('data: {')) talker.heard(line.slice(6))
          })
          response.on('error', () => {})
          response.on('close', () => {
            if (rest !== '' && !isStream) talker.heard(rest)
            resolve()
          })
        },
      )
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // A connection that the other side gave up for idle just as it was used again: the message was not read.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET' && !closed) post(method, text, begun).then(resolve, reject)
        else reject(error)
      })
      outgoing.end(text)
    })
  }

  if (era === 'modern') return talker
  for (const text of [hello, ready, loud]) await post('POST', text)
  // A server that has no standing stream says so, and that is that.
  await new Promise<void>(begun => void post('GET', undefined, begun).catch(() => {}))
  return talker
}

/** Lines to and from a process that this starts itself. */
export function talkToProcess({ command, args }: ChildServer, era: Era): Promise<Opened> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  return talkLines(child.stdout, child.stdin, era, () => child.kill())
}

export async function talkLines(from: Readable, to: Writable, era: Era = 'legacy', close: () => void = () => {}): Promise<Opened> {
  const talker: Opened = { heard: () => {}, send: text => void to.write(`${text}\n`), close }
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) talker.heard(line)
  })
  if (era === 'modern') return talker
  for (const text of [hello, loud]) {
    const answered = new Promise<void>(resolve => (talker.heard = () => resolve()))
    talker.send(text)
    await answered
    if (text === hello) talker.send(ready)
  }
  return talker
}

/** What a stateless client says again in headers. */
function mirror(text: string): Record<string, string> {
  const { method, params } = JSON.parse(text)
  const name = method === 'resources/read' ? params.uri : method === 'tools/call' || method === 'prompts/get' ? params.name : undefined
  return { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name !== undefined && { 'mcp-name': name }) }
}
