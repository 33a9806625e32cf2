// `audit hold add|list|remove`: what must stay whatever its age, as courts ask for.
import { randomBytes } from 'node:crypto'
import { type CommandIo, printable } from 'mcpgw/plugin'
import type { AuditConfig } from '../config.ts'
import { describeHold } from '../holds.ts'
import type { Hold, LogStore } from '../store/log-store.ts'
import { openStore } from '../store/open.ts'
import { readLog } from './read.ts'

type Io = CommandIo<AuditConfig>

export const addHold = (io: Io): Promise<number> =>
  withStore(io, async store => {
    const [tenant, consumer, reason] = [io.options.tenant, io.options.consumer, io.options.reason].map(textOf)
    if (reason === undefined) return refuse(io, 2, '--reason: expected why, such as the number of the case')
    if (consumer !== undefined && reason.includes(consumer))
      return refuse(io, 2, '--reason: is recorded for good, so it must not say who it is')
    if ((io.options.all === true) === (tenant !== undefined || consumer !== undefined))
      return refuse(io, 2, 'expected whose records: --tenant, --consumer or both, or else --all')
    const hold: Hold = {
      id: randomBytes(4).toString('hex'),
      tenant: tenant ?? null,
      consumer: consumer ?? null,
      reason,
      at: io.clock.now(),
    }
    const retention = await store.retention()
    try {
      await retention.hold(hold)
    } finally {
      await retention.close()
    }
    const code = tell(io, 'added', hold)
    return (await record(io, 'add', hold)) ? code : refuse(io, 3, `hold ${hold.id}: added, but this could not be recorded`)
  })

export const removeHold = (io: Io): Promise<number> =>
  withStore(io, async store => {
    const [id] = io.args
    const hold = (await holdsOf(store)).find(one => one.id === id)
    if (hold === undefined) return refuse(io, 1, `there is no hold ${String(id)}`)
    // Before it goes: without it records may be taken out.
    if (!(await record(io, 'remove', hold))) return refuse(io, 3, `hold ${hold.id}: stays, for its removal could not be recorded`)
    const retention = await store.retention()
    try {
      await retention.release(hold.id)
    } finally {
      await retention.close()
    }
    return tell(io, 'removed', hold)
  })

export const listHolds = (io: Io): Promise<number> =>
  readLog(io, 'audit hold list', async ({ reader }) => {
    const holds = await reader.holds()
    const lines = holds.map(hold => `${new Date(hold.at).toISOString()} ${printable(describeHold(hold))}\n`)
    return { code: 0, out: io.json ? `${JSON.stringify({ holds }, null, 2)}\n` : lines.join('') }
  })

const textOf = (value: string | boolean | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

async function withStore(io: Io, work: (store: LogStore) => Promise<number>): Promise<number> {
  const store = openStore(io.stores, io.config)
  try {
    return await work(store)
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  } finally {
    await store.close()
  }
}

async function holdsOf(store: LogStore): Promise<readonly Hold[]> {
  const reader = await store.reader()
  try {
    return await reader.holds()
  } finally {
    await reader.close()
  }
}

function refuse(io: Io, code: number, why: string): number {
  io.err(`audit hold: ${printable(why)}\n`)
  return code
}

/** Whom it is about is told by the hold itself, which goes with its removal; the record names it by its id. */
function record(io: Io, action: 'add' | 'remove', { id, reason, tenant, consumer }: Hold): Promise<boolean> {
  const of = tenant === null && consumer === null ? 'all' : consumer === null ? 'tenant' : 'consumer'
  return io.record({ type: 'log.hold', detail: { action, id, of, reason } })
}

function tell(io: Io, what: 'added' | 'removed', { id }: Hold): number {
  const action = what === 'added' ? 'add' : 'remove'
  io.out(io.json ? `${JSON.stringify({ action, id }, null, 2)}\n` : `hold ${id} ${what}`)
  return 0
}
