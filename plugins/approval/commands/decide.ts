// approvals approve, reject: the word of whoever has the gateway in hand, on record as his.
import { type CommandIo, Recording } from 'mcpgw/plugin'
import type { ApprovalConfig } from '../config.ts'
import { show } from '../request.ts'
import { withApprovals } from '../store/open.ts'
import { type Heard, say } from '../words.ts'

type Io = CommandIo<ApprovalConfig>
export const approve = (io: Io): Promise<number> => decide(io, 'approve')
export const reject = (io: Io): Promise<number> => decide(io, 'reject')

const WRONG: Partial<Readonly<Record<Heard['kind'], string>>> = {
  unknown: 'There is no such request. `mcpgw approvals list --all` shows them.',
  over: 'This request does not wait any more. `mcpgw approvals list --all` shows what became of it.',
  busy: 'Others decide on this request now; try again.',
}

async function decide(io: Io, says: 'approve' | 'reject'): Promise<number> {
  const because = io.options.because as string | undefined
  const saying = { says, who: 'operator', actor: io.operator, because, at: io.clock.now(), record } as const
  // A config without a recorder records nothing of calls either.
  async function record(event: Parameters<Io['record']>[0]): Promise<boolean> {
    if (await io.record(event)) return true
    io.err('This is not on record: the config has no recorder, or it does not work now.')
    return (await io.find(Recording)) === undefined
  }
  const id = String(io.args[0])
  const heard = (await withApprovals(io.stores, io.config, store => say(store, id, saying, () => true))) ?? ({ kind: 'unknown' } as Heard)
  if (heard.kind !== 'heard') {
    if (heard.kind !== 'not-recorded') io.err(WRONG[heard.kind] ?? 'It cannot be decided.')
    return 3
  }
  if (io.json) io.out(JSON.stringify(show(heard.request, io.clock.now())))
  else
    io.err(
      says === 'approve'
        ? `${id} is approved: the call may be made once until ${new Date(heard.request.until).toISOString()}.`
        : `${id} is rejected.`,
    )
  return 0
}
