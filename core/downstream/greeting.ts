// Greets whoever comes: a plugin may refuse an address, and nothing that a peer says is looked at before the plugins have had their say.
import type { Socket } from 'node:net'
import { isPromise } from '../awaitable.ts'
import type { Pipeline, Refusal } from '../pipeline.ts'
import type { Awaitable } from '../plugin/index.ts'
import type { Addresses } from './client-address.ts'
import { certificateOf } from './client-certificate.ts'
import { HttpPeer } from './http-peer.ts'

type Greeted = Pick<Pipeline, 'wants' | 'connect' | 'disconnect'>

export interface Greetings {
  /** A connection of a trusted proxy is of nobody yet: those who come through it are greeted with their first request. */
  greet(socket: Socket): void
  /** `go` once `peer` is welcome, at once where that is known; `turnAway` where it is not. Neither where the connection has gone. */
  whenWelcome(socket: Socket, peer: HttpPeer, go: () => void, turnAway: (refusal: Refusal) => void): void
}

/** Whoever is refused is told so with his first request, and has this long for it. */
const LAST_WORD_MS = 2000
/** So many addresses may come through one connection of a proxy at a time: the first of them are greeted anew when they come again. */
const MAX_VISITORS = 1024

interface Visitor {
  readonly peer: HttpPeer
  // Invariant: holding back the requests is what counts. Node's HTTP parser reads a socket also while it is paused.
  verdict: Awaitable<Refusal | undefined>
}

export function createGreetings(pipeline: Greeted, addresses: Addresses, now: () => number): Greetings {
  const visitors = new WeakMap<Socket, Map<string, Visitor>>()

  function visitorsOf(socket: Socket): Map<string, Visitor> {
    const known = visitors.get(socket)
    if (known !== undefined) return known
    const made = new Map<string, Visitor>()
    visitors.set(socket, made)
    socket.on('close', () => {
      for (const { peer } of made.values()) void pipeline.disconnect(peer)
    })
    return made
  }

  function connect(socket: Socket, peer: HttpPeer): Visitor {
    const all = visitorsOf(socket)
    for (const [key, first] of all) {
      if (all.size < MAX_VISITORS) break
      all.delete(key)
      void pipeline.disconnect(first.peer)
    }
    const visitor: Visitor = { peer, verdict: pipeline.connect(peer) }
    all.set(keyOf(peer), visitor)
    return visitor
  }

  return {
    greet(socket) {
      if (!pipeline.wants.connections || addresses.isShared(socket)) return
      const { verdict } = connect(socket, new HttpPeer(addresses.ofSocket(socket), { certificate: certificateOf(socket, now()) }))
      const take = (refusal: Refusal | undefined): void => {
        if (refusal !== undefined) socket.setTimeout(LAST_WORD_MS, () => socket.destroy())
      }
      if (isPromise(verdict)) void verdict.then(take)
      else take(verdict)
    },
    whenWelcome(socket, peer, go, turnAway) {
      if (!pipeline.wants.connections) return socket.destroyed ? undefined : go()
      const visitor = visitors.get(socket)?.get(keyOf(peer)) ?? connect(socket, peer)
      const take = (refusal: Refusal | undefined): void => {
        visitor.verdict = refusal
        if (socket.destroyed) return
        if (refusal === undefined) go()
        else turnAway(refusal)
      }
      if (isPromise(visitor.verdict)) void visitor.verdict.then(take)
      else take(visitor.verdict)
    },
  }
}

function keyOf({ ip, unclear }: HttpPeer): string {
  return unclear === true ? `?${ip}` : ip
}
