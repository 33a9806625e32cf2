// Clients that send raw text and hand on each message as it was written: over HTTP and over standard streams, to a server or to the gateway.
import { spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import type { ChildServer } from '../../core/config/schema.ts'
import { initialize } from '../core/data-plane/clients.ts'
import type { Talker } from './exchange.ts'

export interface Opened extends Talker {
  close(): void
}

const capabilities = '{"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'
const hello = initialize('2025-11-25', capabilities)
const ready = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

export async function talkHttp(port: number, path: string): Promise<Opened> {
  const agent = new Agent({ keepAlive: true })
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const talker: Opened = { heard: () => {}, send: text => void post('POST', text), close: () => agent.destroy() }

  function post(method: 'POST' | 'GET', text?: string, begun: () => void = () => {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ port, host: '127.0.0.1', agent, method, path, headers }, response => {
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
      })
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }

  await post('POST', hello)
  await post('POST', ready)
  // A server that has no standing stream says so, and that is that.
  await new Promise<void>(begun => void post('GET', undefined, begun).catch(() => {}))
  return talker
}

/** Lines to and from a process that this starts itself. */
export function talkToProcess({ command, args }: ChildServer): Promise<Opened> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  return talkLines(child.stdout, child.stdin, () => child.kill())
}

export async function talkLines(from: Readable, to: Writable, close: () => void = () => {}): Promise<Opened> {
  const talker: Opened = { heard: () => {}, send: text => void to.write(`${text}\n`), close }
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) talker.heard(line)
  })
  const answered = new Promise<void>(resolve => (talker.heard = () => resolve()))
  talker.send(hello)
  await answered
  talker.send(ready)
  return talker
}
