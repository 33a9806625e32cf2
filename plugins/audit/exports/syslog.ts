// Brings messages to a syslog receiver over TCP or TLS. Neither acknowledges a message, so each batch has a connection of its own, and counts once
// the receiver has read it to the end and closed it in return: what a receiver that went away had not read is sent again.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Limits, Target } from './batch.ts'
import { frame, type SyslogSource } from './rfc5424.ts'

export interface SyslogOptions extends SyslogSource {
  /** `tcp://HOST:PORT` or `tls://HOST:PORT`. */
  readonly url: string
  /** File with the certificates that the receiver's must come from; undefined: those of Node.js. */
  readonly ca: string | undefined
  /** ms for a batch. */
  readonly timeout: number
}

const LIMITS: Limits = { records: 2000, bytes: 1_048_576 }
const PORTS: Readonly<Record<string, number>> = { 'tcp:': 601, 'tls:': 6514 }

export function syslogTarget(options: SyslogOptions): Target {
  return {
    name: options.url,
    limits: LIMITS,
    deliver: ({ events, lines }, signal) => send(options, events.map((event, at) => frame(event, lines[at]!, options)).join(''), signal),
  }
}

/** ms at least until the own end is told: who closes before that has taken a connection, and read nothing, as a balancer without a receiver behind it. */
const HESITATION_MS = 100

/** Resolves once the receiver has read all of it. */
export function send(options: Pick<SyslogOptions, 'url' | 'ca' | 'timeout'>, text: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(options)
    const begun = performance.now()
    let isSent = false
    let isRead = false
    let ending: NodeJS.Timeout | undefined
    const end = (error?: Error): void => {
      clearTimeout(timer)
      clearTimeout(ending)
      signal.removeEventListener('abort', abort)
      socket.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    const abort = (): void => end(new Error('stopped'))
    const timer = setTimeout(() => end(new Error(`the receiver did not take it within ${options.timeout} ms`)), options.timeout)
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    socket.once(new URL(options.url).protocol === 'tls:' ? 'secureConnect' : 'connect', () => {
      // What it says to the connection takes as long to come as the connection took to be.
      const hesitation = Math.min(options.timeout / 4, Math.max(HESITATION_MS, 2 * (performance.now() - begun)))
      socket.write(text, () => {
        ending = setTimeout(() => {
          isSent = true
          socket.end()
        }, hesitation)
      })
    })
    // What a receiver says is of no interest, but that it has said the last of it.
    socket.resume()
    socket.on('end', () => {
      isRead = isSent && socket.writableFinished
    })
    socket.on('error', end)
    socket.on('close', () => end(isRead ? undefined : new Error('the receiver closed the connection before it had read everything')))
  })
}

function open({ url, ca }: Pick<SyslogOptions, 'url' | 'ca'>): Socket {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const to = { host, port: port === '' ? PORTS[protocol]! : Number(port) }
  if (protocol === 'tcp:') return connect(to)
  return connectTls({
    ...to,
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(/[a-z]/i.test(host) && !host.includes(':') && { servername: host }),
  })
}
