// What the records of a period add up to: what was called, refused and changed, by whom. Counts only, so that memory does not grow with the log.
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'
import { countOf, statusOf, targetOf } from './show.ts'

export type Counts = Readonly<Record<string, number>>

export interface ToolCounts {
  readonly server: string | null
  /** Tool, prompt or uri, else the method. */
  readonly target: string
  /** That ended, whatever the end. */
  readonly calls: number
  /** Of them, those that were not answered. */
  readonly errors: number
  readonly refused: number
}

export interface Population {
  readonly records: number
  readonly types: Counts
  readonly calls: { readonly total: number; readonly outcomes: Counts }
  /** Repeated ones count as often as they happened. */
  readonly refusals: { readonly total: number; readonly codes: Counts }
  readonly administration: Counts
  /** Of the log. */
  readonly reads: number
  readonly consumers: number
  readonly servers: number
  /** Most called first. */
  readonly tools: readonly ToolCounts[]
}

/** What the log says of itself, and what its readers did, is neither called nor changed by anybody. */
export const isAct = ({ type }: StoredRecord): boolean => type !== 'intent' && !/^(stream|audit|clock|log)\./.test(type)
const isOfCall = (type: string): boolean => /^(intent|outcome|refusal)(\.|$)/.test(type)

export interface PopulationCounter {
  add(record: StoredRecord, body: Body): void
  total(): Population
}

export function createPopulation(): PopulationCounter {
  const [types, outcomes, codes, administration] = [createTally(), createTally(), createTally(), createTally()]
  const consumers = new Set<string>()
  const servers = new Set<string>()
  const tools = new Map<string, { server: string | null; target: string; calls: number; errors: number; refused: number }>()
  let [records, reads] = [0, 0]

  function toolOf({ server = null, ...body }: Omit<Body, 'server'> & { server?: string | null }) {
    const target = targetOf(body as Body) ?? body.action ?? '-'
    const key = JSON.stringify([server, target])
    const known = tools.get(key) ?? { server, target, calls: 0, errors: 0, refused: 0 }
    tools.set(key, known)
    return known
  }

  return {
    add(record, body) {
      const { type } = record
      records += 1
      types.add(type, 1)
      if (type.startsWith('log.')) reads += 1
      else if (isAct(record) && !isOfCall(type)) administration.add(type, 1)
      if (!isOfCall(type)) return
      const consumer = body.actor?.id ?? body.subject
      if (typeof consumer === 'string') consumers.add(`${body.tenant ?? ''}\n${consumer}`)
      if (typeof body.server === 'string') servers.add(body.server)
      if (type === 'outcome') {
        const status = statusOf(record, body) ?? 'unknown'
        outcomes.add(status, 1)
        const tool = toolOf(body)
        tool.calls += 1
        if (status !== 'answered' && status !== 'input-required') tool.errors += 1
      } else if (type.startsWith('refusal')) {
        const times = countOf(body)
        codes.add(body.decision?.code ?? '-', times)
        toolOf(body).refused += times
      }
    },
    total: () => ({
      records,
      types: types.counts(),
      calls: { total: outcomes.total(), outcomes: outcomes.counts() },
      refusals: { total: codes.total(), codes: codes.counts() },
      administration: administration.counts(),
      reads,
      consumers: consumers.size,
      servers: servers.size,
      tools: [...tools.values()].sort(
        (a, b) => b.calls - a.calls || b.refused - a.refused || (`${a.server} ${a.target}` < `${b.server} ${b.target}` ? -1 : 1),
      ),
    }),
  }
}

function createTally() {
  const counts = new Map<string, number>()
  return {
    add: (name: string, times: number): void => void counts.set(name, (counts.get(name) ?? 0) + times),
    total: (): number => [...counts.values()].reduce((sum, one) => sum + one, 0),
    counts: (): Counts => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
