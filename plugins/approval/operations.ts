// What callers can ask and tell of approvals through the gateway itself: each sees what he may decide, and what he has asked for.
import {
  type Asker,
  defineOperation,
  type JsonObject,
  type Operation,
  type OperationAnswer,
  type PluginContext,
  Recording,
  refuseOtherTenant,
} from 'mcpgw/plugin'
import { z } from 'zod'
import type { ApprovalConfig } from './config.ts'
import { type Decider, meets } from './needs.ts'
import { isOwn, type Request, show } from './request.ts'
import type { ApprovalStore } from './store/store.ts'
import { type Heard, say } from './words.ts'

const word = z.string().min(1).max(128)
const because = z.string().min(1).max(500).optional().describe('why, for the record and for whoever asked')
const given = z.object({ need: z.string(), by: z.string(), at: z.number(), because: z.string().optional() })
const request = z.object({
  id: z.string(),
  tenant: z.string(),
  principal: z.string(),
  action: z.string(),
  server: z.string(),
  name: z.string(),
  arguments: z.unknown().optional(),
  needs: z.array(z.string()),
  given: z.array(given),
  rejected: given.omit({ need: true }).optional(),
  state: z.enum(['waiting', 'approved', 'rejected', 'used', 'expired']),
  at: z.string(),
  until: z.string(),
})

const refused = (code: 'not-found' | 'conflict' | 'unavailable', message: string): OperationAnswer => ({ kind: 'refused', code, message })
const REFUSALS: Readonly<Record<Exclude<Heard['kind'], 'heard'>, OperationAnswer>> = {
  unknown: refused('not-found', 'there is no such request'),
  'not-yours': refused('conflict', 'this request needs the word of somebody else'),
  own: refused('conflict', 'nobody approves a call of his own'),
  given: refused('conflict', 'you have approved it; the rest is for somebody else'),
  over: refused('conflict', 'this request does not wait any more'),
  busy: refused('unavailable', 'others decide on this request now; try again'),
  'not-recorded': refused('unavailable', 'it cannot be recorded now, so that nothing has changed'),
}

/** Without a principal the call comes from the control socket, which belongs to whoever runs the gateway. */
const deciderOf = ({ exchange }: Asker): Decider =>
  exchange === undefined ? 'operator' : (exchange.principal ?? { id: '', tenant: '', roles: [] })

/** A request shows what somebody calls, and with what: it is there for whoever may decide on it, has asked for it, or sees all tenants. */
function mayKnow(asker: Asker): (request: Request) => boolean {
  const who = deciderOf(asker)
  return one =>
    asker.tenant === undefined ||
    (one.tenant === asker.tenant && who !== 'operator' && (isOwn(one, who) || meets(who, one.needs).length > 0))
}

export function approvalOperations({ clock, find }: PluginContext<ApprovalConfig>, store: ApprovalStore): readonly Operation[] {
  const decide = (says: 'approve' | 'reject', route: Extract<Operation['route'], string>, done: string): Operation =>
    defineOperation({
      name: `approvals_${says}`,
      summary: `${done} It is recorded before it counts.`,
      route,
      effect: 'changes',
      scope: 'tenant',
      input: z.strictObject({ id: word.describe('as approvals_list shows it'), because }),
      output: request,
      async perform({ id, because }, asker) {
        const saying = { says, who: deciderOf(asker), actor: asker.actor, because, at: clock.now() }
        const record = async (event: Parameters<Recording['event']>[0]): Promise<boolean> => {
          await find(Recording)?.event(event)
          return true
        }
        const heard = await say(store, id, { ...saying, record }, mayKnow(asker))
        if (heard.kind !== 'heard') return REFUSALS[heard.kind]
        return { kind: 'done', value: show(heard.request, clock.now()) as unknown as JsonObject }
      },
    })

  return [
    defineOperation({
      name: 'approvals_list',
      summary: 'Shows calls that wait for approval: those that you may decide, and your own.',
      route: 'GET /approvals',
      effect: 'reads',
      scope: 'tenant',
      input: z.strictObject({
        all: z.stringbool().or(z.boolean()).default(false).describe('also those that are decided, used or expired'),
        tenant: word.optional().describe('only of this tenant; for operators'),
      }),
      output: z.object({ requests: z.array(request) }),
      async perform({ all, tenant }, asker) {
        const other = refuseOtherTenant(asker, tenant)
        if (other !== undefined) return other
        const now = clock.now()
        const found = (await store.list(asker.tenant ?? tenant)).filter(mayKnow(asker)).map(one => show(one, now))
        const requests = all ? found : found.filter(({ state }) => state === 'waiting')
        return { kind: 'done', value: { requests } as unknown as JsonObject }
      },
    }),
    decide('approve', 'POST /approvals/{id}/approve', 'Approves a call that waits for it; it may then be made once.'),
    decide('reject', 'POST /approvals/{id}/reject', 'Rejects a call that waits for approval, or takes back a request of your own.'),
  ]
}
