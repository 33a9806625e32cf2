// `audit report`: what an auditor asks of a period, on one page: what there is, whether it is all, and a sample to look at. Exit codes as of `audit verify`.
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CommandIo, printable } from 'mcpgw/plugin'
import { checkLog, type Verdict } from '../check-log.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { AuditConfig } from '../config.ts'
import type { Trusted } from '../note.ts'
import type { StoredRecord } from '../store/log-store.ts'
import { decisionOf } from './filter.ts'
import { readCheckpoints, readKeys } from './keys.ts'
import { openSealed, readLog, type StoredLog } from './read.ts'
import { type Completeness, findNewest, judge } from './report-completeness.ts'
import { createCourse } from './report-course.ts'
import { EXPECTED, type Period, readPeriod } from './report-period.ts'
import { createPopulation, isAct } from './report-population.ts'
import type { Report, Sampled } from './report-result.ts'
import { createSample } from './report-sample.ts'
import { formats, isFormat } from './report-text.ts'
import { statusOf, targetOf } from './show.ts'
import { createProgress } from './verify-progress.ts'
import { CODES } from './verify-report.ts'
import { sourceOf } from './verify-source.ts'

interface Asked {
  readonly period: Period
  readonly tenant: string | undefined
  readonly size: number
  readonly seed: string | undefined
  readonly keys: readonly Trusted[]
  readonly trusted: readonly Checkpoint[]
}

const MOST = 10_000

export async function reportLog(io: CommandIo<AuditConfig>): Promise<number> {
  const asked = readAsked(io)
  if (typeof asked === 'string') return refuse(io, 2, asked)
  const format = io.json ? 'json' : io.options.format
  if (!isFormat(format)) return refuse(io, 2, '--format: expected text, json or markdown')
  const { out } = io.options
  const path = typeof out === 'string' ? resolve(io.cwd, out) : undefined
  // Before the work.
  if (path !== undefined && existsSync(path)) return refuse(io, 3, `${path}: is there already; give another file`)
  let written: string | undefined
  const code = await readLog(io, 'audit report', async log => {
    const made = await makeReport(io, log, asked)
    if (made.report === undefined) return { code: made.code, err: 'audit report: stopped\n' }
    const text = formats[format](made.report)
    if (path === undefined) return { code: made.code, out: text }
    written = text
    return { code: made.code }
  })
  // Not before the read is on record.
  if (path === undefined || written === undefined || code === 3) return code
  try {
    writeFileSync(path, written, { flag: 'wx', mode: 0o600 })
    return code
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  }
}

function refuse(io: CommandIo<AuditConfig>, code: number, why: string): number {
  io.err(`audit report: ${printable(why)}\n`)
  return code
}

/** A string says what is wrong. */
function readAsked(io: CommandIo<AuditConfig>): Asked | string {
  const { period: text, tenant, sample, seed } = io.options
  const period = typeof text === 'string' ? readPeriod(text, io.clock.now()) : undefined
  if (period === undefined) return `--period: ${EXPECTED}`
  const size = Number(sample)
  if (!Number.isInteger(size) || size < 0 || size > MOST) return `--sample: expected a whole number up to ${MOST}`
  const keys = readKeys(io)
  if (typeof keys === 'string') return keys
  const trusted = readCheckpoints(io, keys)
  if (typeof trusted === 'string') return trusted
  return {
    period,
    tenant: typeof tenant === 'string' ? tenant : undefined,
    size,
    seed: typeof seed === 'string' ? seed : undefined,
    keys,
    trusted: trusted.checkpoints,
  }
}

interface Made {
  readonly report: Report | undefined
  readonly code: number
}

async function makeReport(io: CommandIo<AuditConfig>, { name, reader }: StoredLog, asked: Asked): Promise<Made> {
  const { period, tenant, size, keys, trusted } = asked
  const checkpoint = await findNewest(reader, keys, io.config.anchors, file => io.stores.resolve(file))
  const source = await sourceOf(name, reader, async () => {})
  const shown = createProgress(io, source, undefined, undefined)
  const verdict = await checkLog({ source, keys, trusted, signal: io.signal, onPage: shown.onPage })
  if (verdict.kind === 'broken' && (await source.isPruned()))
    throw new Error('records were taken out of the log meanwhile; make the report again')
  const open = await openSealed(io, reader)
  const population = createPopulation()
  const course = createCourse(verdict.covered)
  const seed = asked.seed ?? checkpoint?.root ?? name
  const sample = createSample<Sampled>(size, seed)
  try {
    for await (const { records } of reader.forward(io.signal))
      for (const record of records) {
        const isInPeriod = record.at >= period.from && record.at < period.to
        if (!isInPeriod && !course.needs(record)) continue
        const body = open(record) ?? {}
        const isOwn = tenant === undefined || body.tenant === tenant
        course.add(record, body, isInPeriod, isOwn)
        if (!isInPeriod || !isOwn) continue
        population.add(record, body)
        if (isAct(record)) sample.add(`${record.stream}:${record.seq}`, () => sampled(record, body))
      }
  } catch (error) {
    // Where the file is damaged, what could be read is told of; the verdict says that it is.
    if (verdict.kind !== 'broken') throw error
  }
  if (io.signal.aborted) return { report: undefined, code: CODES.stopped }
  const streams = course.total()
  const completeness = await judge(period, verdict, streams.streams, trusted.length, reader)
  return {
    code: codeOf(verdict, completeness),
    report: {
      report: 1,
      log: name,
      madeAt: new Date(io.clock.now()).toISOString(),
      period: { from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString() },
      tenant: tenant ?? null,
      completeness,
      checkpoint,
      population: population.total(),
      sample: { seed, of: sample.of, records: sample.items() },
      course: streams,
    },
  }
}

/** What is proven of the log may not reach over the period. */
function codeOf({ kind }: Verdict, { period }: Completeness): number {
  return kind === 'proven' && period !== 'proven' ? CODES.consistent : CODES[kind]
}

function sampled(record: StoredRecord, body: Parameters<typeof targetOf>[0]): Sampled {
  return {
    id: `${record.stream}:${record.seq}`,
    at: new Date(record.at).toISOString(),
    type: record.type,
    call: record.call === '' ? null : record.call,
    status: statusOf(record, body) ?? null,
    consumer: body.actor?.id ?? null,
    server: body.server ?? null,
    target: targetOf(body) ?? body.action ?? null,
    decision: decisionOf(record, body) ?? null,
  }
}
