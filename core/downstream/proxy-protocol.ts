// Takes the PROXY protocol header off the front of a connection, within a time limit; what follows it is left to be read.
import type { Socket } from 'node:net'
import { readProxyHeader } from './proxy-header.ts'

const LIMIT_MS = 5000

/** `go`, with the address of the client where there is one, or `refuse`, once; neither where the connection goes away first. */
export function takeProxyHeader(socket: Socket, go: (client: string | undefined) => void, refuse: (why: string) => void): void {
  let got = Buffer.alloc(0)
  // Not the idle time of the socket: whoever sends a byte now and then would put that off for ever.
  const timer = setTimeout(() => finish(() => refuse('not there in time')), LIMIT_MS).unref()

  function finish(then: () => void): void {
    clearTimeout(timer)
    socket.off('readable', read)
    socket.off('end', cutShort)
    socket.off('close', forget)
    then()
  }
  function read(): void {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      got = Buffer.concat([got, chunk])
      const header = readProxyHeader(got)
      if (header.kind === 'more') continue
      return finish(() => {
        if (header.kind === 'bad') return refuse(header.why)
        const rest = got.subarray(header.length)
        if (rest.length > 0) socket.unshift(rest)
        go(header.client)
      })
    }
  }
  function cutShort(): void {
    finish(() => refuse('cut short'))
  }
  function forget(): void {
    finish(() => {})
  }

  socket.on('readable', read)
  socket.on('end', cutShort)
  socket.on('close', forget)
}
