// Greets what connects: a plugin may refuse an address, and nothing that a peer says is looked at before the plugins have had their say.
import type { Socket } from 'node:net'
import { isPromise } from '../awaitable.ts'
import type { Pipeline, Refusal } from '../pipeline.ts'
import { HttpPeer } from './http-peer.ts'

type Greeted = Pick<Pipeline, 'wants' | 'connect' | 'disconnect'>

export interface Greetings {
  /** A connection that a plugin refuses is destroyed. */
  greet(socket: Socket): void
  /** `go` once the connection is welcome, at once where that is known; never where it was refused. */
  whenWelcome(socket: Socket, go: () => void): void
}

export function createGreetings(pipeline: Greeted): Greetings {
  // Invariant: holding back the requests is what counts. Node's HTTP parser reads a socket also while it is paused.
  const waiting = new WeakMap<Socket, Promise<Refusal | undefined>>()

  function take(socket: Socket, refusal: Refusal | undefined): void {
    if (refusal !== undefined) socket.destroy()
  }

  return {
    greet(socket) {
      if (!pipeline.wants.connections) return
      const peer = new HttpPeer(socket.remoteAddress)
      socket.on('close', () => void pipeline.disconnect(peer))
      const verdict = pipeline.connect(peer)
      if (!isPromise(verdict)) return take(socket, verdict)
      waiting.set(socket, verdict)
      void verdict.then(refusal => {
        take(socket, refusal)
        if (refusal === undefined) waiting.delete(socket)
      })
    },
    whenWelcome(socket, go) {
      const verdict = waiting.get(socket)
      if (verdict === undefined) return socket.destroyed ? undefined : go()
      void verdict.then(refusal => {
        if (refusal === undefined) go()
      })
    },
  }
}
