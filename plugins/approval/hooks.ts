// The obligation `approval`: a call is refused until those have agreed whom the policy names, and then let through once.
import { randomBytes } from 'node:crypto'
import {
  type DischargeVerdict,
  deny,
  type Exchange,
  type Governed,
  type Hooks,
  type JsonValue,
  Masking,
  nameOf,
  type Outcome,
  type PluginContext,
  pass,
} from 'mcpgw/plugin'
import type { ApprovalConfig } from './config.ts'
import { keyOf } from './key.ts'
import { type Asked, readNeeds } from './needs.ts'
import { giveBack, isOver, type Request, use } from './request.ts'
import type { ApprovalStore } from './store/store.ts'

/** Seconds after which it is worth to ask again. */
const LOOK_AGAIN = 15
const MOST_ARGUMENTS = 16 * 1024
/** Others may change the same request between two looks; more often than this nobody does. */
const TRIES = 5

type Conditions = Pick<PluginContext<ApprovalConfig>, 'config' | 'clock' | 'find' | 'log' | 'metrics'>

export function createHooks({ config, clock, find, log, metrics }: Conditions, store: ApprovalStore): Hooks {
  const asked = metrics.counter('calls_total', 'Calls that need an approval, by what became of them.', ['result'])
  // All approvals that a call needs are one request: the first obligation settles it for the others.
  const verdicts = new WeakMap<Exchange, Promise<DischargeVerdict>>()
  const taken = new WeakMap<Exchange, Request>()

  async function ask(x: Exchange): Promise<DischargeVerdict> {
    const { resource } = x
    const needed = readNeeds((x.decision?.obligations ?? []).filter(({ name }) => name === 'approval'))
    if (needed === undefined || !('server' in resource))
      return deny('unmet-obligation', 'denied', { detail: 'an approval is written approval(by: "role:finance", timeout: 15m)' })
    const key = keyOf(x, resource, needed.needs)
    for (let turn = 0; turn < TRIES; turn++) {
      const now = clock.now()
      const request = await store.find(key)
      if (request === undefined || isOver(request, now)) {
        const opened = await open(x, resource, key, needed)
        if (opened !== undefined) return opened
        continue
      }
      if (request.state === 'waiting') return waiting(request)
      if (request.state === 'rejected') return rejected(request, now)
      const used = use(request, now)
      if (used === undefined || !(await store.replace(used))) continue
      taken.set(x, used)
      x.note('approval.detail', `approved as ${used.id}`)
      asked.inc({ result: 'approved' })
      return pass
    }
    throw new Error('the request for approval changes all the time')
  }

  async function open(x: Exchange, resource: Governed, key: string, { needs, forMs }: Asked): Promise<DischargeVerdict | undefined> {
    const now = clock.now()
    const { tenant = '', id: principal = '' } = x.principal ?? {}
    if ((await store.countWaiting(tenant, principal, now)) >= config.most) {
      asked.inc({ result: 'too-many' })
      const detail = `${config.most} requests of this caller wait for approval`
      return deny('rate-limited', 'too many of your calls wait for approval', { detail, retryAfter: LOOK_AGAIN })
    }
    const args = config.arguments === 'shown' ? shownArguments(x) : undefined
    const request: Request = {
      id: `apr_${randomBytes(10).toString('hex').slice(0, 16)}`,
      key,
      tenant,
      principal,
      action: x.action,
      server: resource.server,
      name: nameOf(resource),
      ...(args !== undefined && { args }),
      needs,
      given: [],
      state: 'waiting',
      at: now,
      until: now + forMs,
      forMs,
      revision: 1,
    }
    if (!(await store.open(request, now))) return undefined
    log.info('a call waits for approval', { request: request.id, callId: x.id, server: request.server, tool: request.name, needs })
    return waiting(request)
  }

  function shownArguments(x: Exchange): JsonValue | undefined {
    const { args } = x
    if (args.bytes.byteLength > MOST_ARGUMENTS) return undefined
    return find(Masking)?.value(args) ?? args.value
  }

  function waiting({ id, needs, given }: Request): DischargeVerdict {
    asked.inc({ result: 'waiting' })
    const open = needs.filter(need => !given.some(one => one.need === need))
    const reason = `this call waits for approval by ${open.join(' and ')} (${id}); make the same call again once it is given`
    return deny('approval-pending', reason, { detail: `waits for approval as ${id}`, retryAfter: LOOK_AGAIN })
  }

  function rejected({ id, until }: Request, now: number): DischargeVerdict {
    asked.inc({ result: 'rejected' })
    const retryAfter = Math.max(1, Math.ceil((until - now) / 1000))
    return deny('approval-rejected', `this call was rejected (${id})`, { detail: `rejected as ${id}`, retryAfter })
  }

  /** What came to nothing, or goes on with another request, has not used its approval up. */
  async function undo(x: Exchange): Promise<void> {
    const used = taken.get(x)
    if (used === undefined) return
    taken.delete(x)
    await store.replace(giveBack(used))
  }

  return {
    discharge(_obligation, stage) {
      const { exchange: x } = stage
      if (stage.at === 'answer') return stage.answer.isInputRequired === true ? undo(x).then(() => pass) : pass
      // A task is asked about under the call that made it, which has been approved.
      if (stage.at !== 'request' || (x.resource.kind === 'call' && x.resource.task !== undefined)) return pass
      let verdict = verdicts.get(x)
      if (verdict === undefined) {
        verdict = ask(x)
        verdicts.set(x, verdict)
      }
      return verdict
    },
    async onSettled(x: Exchange, outcome: Outcome) {
      if (outcome.kind === 'denied' || (outcome.kind === 'failed' && outcome.code === 'upstream-unavailable')) await undo(x)
    },
  }
}
