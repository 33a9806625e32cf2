// Operations with which operators register, change and remove servers while gateways run; there only where the config has `registration`.
import * as z from 'zod'
import { serverFields, serverId } from '../config/server-shape.ts'
import { type Asker, defineOperation, type JsonObject, type Operation, type OperationAnswer } from '../plugin/index.ts'
import type { Registered, Registrar } from '../registry/registrar.ts'

const { id, ...fields } = serverFields
const output = z.object({ server: z.string().describe('its id') })

/** `look`: serves here what was changed; other gateways see it by themselves. */
export function registeringOperations(registrar: Registrar, look: () => Promise<void>): readonly Operation[] {
  async function answer(done: Promise<Registered>): Promise<OperationAnswer> {
    const result = await done
    if (result.kind === 'refused') return result
    // It is stored, whether this gateway can read it just now or not.
    await look().catch(() => {})
    return { kind: 'done', value: { server: result.id } }
  }

  return [
    defineOperation({
      name: 'servers_register',
      summary: 'Registers a server behind all gateways of this store; its entry is that of the config, and secrets are references.',
      route: 'POST /servers',
      effect: 'changes',
      scope: 'gateway',
      input: z.strictObject({ id, ...fields }),
      output,
      perform: (entry, { actor }: Asker) => answer(registrar.register(entry as unknown as JsonObject, actor)),
    }),
    defineOperation({
      name: 'servers_update',
      summary: 'Gives a registered server another entry in place of the one it has, all of it.',
      route: 'PUT /servers/{server}',
      effect: 'changes',
      scope: 'gateway',
      input: z.strictObject({ server: serverId, ...fields }),
      output,
      perform: ({ server, ...entry }, { actor }: Asker) =>
        answer(registrar.update(String(server), () => entry as unknown as JsonObject, actor)),
    }),
    defineOperation({
      name: 'servers_remove',
      summary: 'Removes a registered server from all gateways of this store; calls that are under way there are answered.',
      route: 'DELETE /servers/{server}',
      effect: 'changes',
      scope: 'gateway',
      input: z.strictObject({ server: serverId }),
      output,
      perform: ({ server }, { actor }: Asker) => answer(registrar.remove(server, actor)),
    }),
  ]
}
