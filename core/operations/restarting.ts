// The operation with which operators let a server begin anew from afar, as `mcpgw servers restart` does beside the store.
import * as z from 'zod'
import { serverId } from '../config/server-shape.ts'
import type { KillStore } from '../kill/store.ts'
import { defineOperation, type Operation, type Recording } from '../plugin/index.ts'
import { recordAnyway } from './recorded.ts'

export interface RestartingParts {
  readonly store: Pick<KillStore, 'restart'>
  readonly recording: Recording | undefined
  now(): number
  isThere(server: string): boolean
}

export function restartingOperation({ store, recording, now, isThere }: RestartingParts): Operation {
  return defineOperation({
    name: 'servers_restart',
    summary: 'Begins anew with a server on all gateways of this store within a second: processes, connections, circuit breaker.',
    route: 'POST /servers/{server}/restart',
    effect: 'changes',
    scope: 'gateway',
    input: z.strictObject({ server: serverId }),
    output: z.object({ server: z.string().describe('its id'), recorded: z.boolean() }),
    async perform({ server }, { actor }) {
      if (!isThere(server)) return { kind: 'refused', code: 'not-found', message: 'there is no such server', field: 'server' }
      await store.restart({ server, at: now(), by: actor })
      const recorded = await recordAnyway(recording, { type: 'server.restart', actor, detail: { server } })
      return { kind: 'done', value: { server, recorded } }
    },
  })
}
