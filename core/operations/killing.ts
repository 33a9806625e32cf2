// Operations with which operators kill a tenant, a server, a version or a key from afar, lift that, and see what is killed: as `mcpgw kill` does beside the store.
import * as z from 'zod'
import { detailOf, KINDS, type Kill, type KillTarget } from '../kill/kills.ts'
import type { KillStore } from '../kill/store.ts'
import { type Asker, defineOperation, type JsonObject, type Operation, type OperationAnswer, type Recording } from '../plugin/index.ts'
import { recordAnyway } from './recorded.ts'

export interface KillingParts {
  readonly store: Pick<KillStore, 'all' | 'set' | 'lift'>
  readonly recording: Recording | undefined
  now(): number
}

const word = z.string().regex(/^[^\p{Cc}]{1,500}$/u, 'expected one line of 1 to 500 characters')
// What would be kept in the open is never a key itself.
const name = word.refine(text => !text.startsWith('mgk_'), 'expected the id of a key, as keys_list shows it')
const target = { kind: z.enum(KINDS), name: name.describe('tenant, id of a server, ID@VERSION, or id of a key') }
const kill = z.object({ kind: z.enum(KINDS), name: z.string(), since: z.string(), by: z.string(), because: z.string().optional() })

export function killingOperations({ store, recording, now }: KillingParts): readonly Operation[] {
  const record = (type: 'kill.set' | 'kill.lifted', one: KillTarget & Pick<Kill, 'because'>, actor: Asker['actor']): Promise<boolean> =>
    recordAnyway(recording, { type, actor, detail: detailOf(one) })
  const done = (value: JsonObject): OperationAnswer => ({ kind: 'done', value })

  return [
    defineOperation({
      name: 'kills_list',
      summary: 'Shows what operators have killed: since when, by whom and why.',
      route: 'GET /kills',
      effect: 'reads',
      scope: 'gateway',
      input: z.strictObject({}),
      output: z.object({ kills: z.array(kill) }),
      async perform() {
        const kills = (await store.all()).map(({ kind, name: of, at, by, because }) => {
          return { kind, name: of, since: new Date(at).toISOString(), by: by.id, ...(because !== undefined && { because }) }
        })
        return done({ kills })
      },
    }),
    defineOperation({
      name: 'kills_set',
      summary: 'Kills a tenant, a server, a version or a key on all gateways of this store within a second; what it has open ends.',
      route: 'POST /kills',
      effect: 'changes',
      scope: 'gateway',
      input: z.strictObject({ ...target, because: word.optional().describe('why; callers are never told') }),
      output: z.object({ kind: z.enum(KINDS), name: z.string(), was: z.boolean().describe('it was killed before'), recorded: z.boolean() }),
      async perform({ kind, name: of, because }, { actor }) {
        if (kind === 'version' && !/^[^@]+@./.test(of))
          return { kind: 'refused', code: 'invalid-arguments', message: 'expected ID@VERSION', field: 'name' }
        const one = { kind, name: of, ...(because !== undefined && { because }) }
        const isNew = await store.set({ ...one, at: now(), by: actor })
        return done({ kind, name: of, was: !isNew, recorded: isNew && (await record('kill.set', one, actor)) })
      },
    }),
    defineOperation({
      name: 'kills_lift',
      summary: 'Lets in again what was killed, on all gateways of this store within a second.',
      route: 'DELETE /kills/{kind}/{name}',
      effect: 'changes',
      scope: 'gateway',
      input: z.strictObject(target),
      output: z.object({ kind: z.enum(KINDS), name: z.string(), recorded: z.boolean() }),
      async perform({ kind, name: of }, { actor }) {
        const one = { kind, name: of }
        if (!(await store.lift(one))) return { kind: 'refused', code: 'not-found', message: 'it was not killed', field: 'name' }
        return done({ ...one, recorded: await record('kill.lifted', one, actor) })
      },
    }),
  ]
}
