// How the log was kept in a period: its streams, by which settings they were written, and what was out of the ordinary.
import type { Body } from '../opened.ts'
import type { StoredRecord } from '../store/log-store.ts'
import type { Counts } from './report-population.ts'

export interface StreamCourse {
  readonly stream: string
  readonly first: number
  readonly last: number
  readonly records: number
  /** Of them, those that a checkpoint proves that was kept elsewhere. */
  readonly proven: number
  /** ISO 8601, of the first and the last. */
  readonly from: string
  readonly to: string
}

export interface Course {
  readonly streams: readonly StreamCourse[]
  /** Records by the mode in which they were written. */
  readonly durability: Counts
  /** Records of a gateway in which no plugin decides. */
  readonly undecided: number
  readonly gatewayVersions: readonly string[]
  /** In use, each once, as JSON of what `stream.start` and `config.load` say. */
  readonly pluginOrders: readonly (readonly string[])[]
  readonly configs: readonly (readonly { readonly file: string; readonly digest: string }[])[]
  /** Steps of the clock over 1 s. */
  readonly clockSteps: number
  /** Records that were written after the fact, for the store had failed. */
  readonly late: number
  /** Times at which the log went on after it had failed. */
  readonly recovered: number
  /** Calls that began in the period and have no end. */
  readonly open: readonly string[]
  /** Calls that began in the period and were closed, then or later, by a gateway that did not know how they ended. */
  readonly unknown: number
}

interface Stream {
  version?: string
  order?: string
  config?: string
  first?: Place
  last?: Place
  records: number
  proven: number
}
interface Place {
  readonly seq: number
  readonly at: number
}
type Members = Readonly<Record<string, unknown>>

export interface CourseCounter {
  /** Whether a record that is not of the period matters for it: what was set before may hold in it, and calls may end after it. */
  needs(record: StoredRecord): boolean
  /** In the order of the log. `isOwn`: of the tenant that is asked for; of others no call is told of. */
  add(record: StoredRecord, body: Body, isInPeriod: boolean, isOwn: boolean): void
  total(): Course
}

const isConfig = (type: string): boolean => type === 'config.load' || type === 'config.reloaded'

/** `covered`: how many records of a stream are proven. */
export function createCourse(covered: ReadonlyMap<string, number>): CourseCounter {
  const streams = new Map<string, Stream>()
  const [versions, orders, configs] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const durability = new Map<string, number>()
  const open = new Set<string>()
  let [undecided, clockSteps, late, recovered, unknown] = [0, 0, 0, 0, 0]

  function learn(stream: Stream, { type }: StoredRecord, { gatewayVersion, detail }: Members): void {
    const { plugins, files } = (detail ?? {}) as Members
    if (type === 'stream.start') {
      if (typeof gatewayVersion === 'string') stream.version = gatewayVersion
      if (Array.isArray(plugins)) stream.order = JSON.stringify(plugins)
    } else if (isConfig(type) && Array.isArray(files)) stream.config = JSON.stringify(files)
  }

  function note({ version, order, config }: Stream): void {
    if (version !== undefined) versions.add(version)
    if (order !== undefined) orders.add(order)
    if (config !== undefined) configs.add(config)
  }

  return {
    needs: ({ type, call }) => type === 'stream.start' || isConfig(type) || open.has(call),
    add(record, body, isInPeriod, isOwn) {
      const members = body as Members
      const stream: Stream = streams.get(record.stream) ?? { records: 0, proven: 0 }
      streams.set(record.stream, stream)
      learn(stream, record, members)
      if (record.type === 'intent' && isInPeriod && isOwn) open.add(record.call)
      else if (open.delete(record.call) && body.outcome === 'unknown') unknown += 1
      if (!isInPeriod) return
      note(stream)
      stream.last = { seq: record.seq, at: record.at }
      stream.first ??= stream.last
      stream.records += 1
      if (record.seq <= (covered.get(record.stream) ?? 0)) stream.proven += 1
      const mode = typeof members.durability === 'string' ? members.durability : '-'
      durability.set(mode, (durability.get(mode) ?? 0) + 1)
      if (members.open === true) undecided += 1
      if (members.late === true) late += 1
      if (record.type === 'clock.step') clockSteps += 1
      if (record.type === 'audit.recovered') recovered += 1
    },
    total: () => ({
      streams: [...streams].flatMap(([name, { first, last, records, proven }]) =>
        first === undefined || last === undefined
          ? []
          : [{ stream: name, first: first.seq, last: last.seq, records, proven, from: timeOf(first), to: timeOf(last) }],
      ),
      durability: Object.fromEntries(durability),
      undecided,
      gatewayVersions: [...versions],
      pluginOrders: [...orders].map(one => JSON.parse(one) as string[]),
      configs: [...configs].map(one => JSON.parse(one) as { file: string; digest: string }[]),
      clockSteps,
      late,
      recovered,
      open: [...open],
      unknown,
    }),
  }
}

const timeOf = ({ at }: Place): string => new Date(at).toISOString()
