// approvals list: what waits for whom.
import { alignColumns, type CommandIo, printable } from 'mcpgw/plugin'
import type { ApprovalConfig } from '../config.ts'
import { type Shown, show } from '../request.ts'
import { withApprovals } from '../store/open.ts'

export async function listRequests(io: CommandIo<ApprovalConfig>): Promise<number> {
  const { tenant, all } = io.options
  const found = (await withApprovals(io.stores, io.config, store => store.list(tenant as string | undefined))) ?? []
  const now = io.clock.now()
  const requests = found.map(one => show(one, now)).filter(({ state }) => all === true || state === 'waiting')
  if (io.json) io.out(JSON.stringify({ requests }))
  else if (requests.length === 0) io.err(all === true ? 'No call has needed an approval.' : 'No call waits for approval.')
  else io.out(layOut(requests))
  return 0
}

function layOut(requests: readonly Shown[]): string {
  const rows = [
    ['ID', 'STATE', 'UNTIL', 'WHO', 'CALL', 'NEEDS', 'ARGUMENTS'],
    ...requests.map(one => [
      one.id,
      one.state,
      `${one.until.slice(0, 16)}Z`,
      `${one.principal || '-'}@${one.tenant || '-'}`,
      printable(`${one.server}/${one.name}`),
      one.needs.map(need => (one.given.some(given => given.need === need) ? `${need} (given)` : need)).join(', '),
      one.arguments === undefined ? '-' : printable(JSON.stringify(one.arguments)),
    ]),
  ]
  return alignColumns(rows)
}
