// `audit prove`: a proof that a record stands in the signed log, and with `--check` whether one holds: 0 it does, 1 it does not.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type CommandIo, printable } from 'mcpgw/plugin'
import { leafOfBody } from '../chain.ts'
import { openCheckpoint, readRow } from '../checkpoint-row.ts'
import type { AuditConfig } from '../config.ts'
import { checkProof, writeProof } from '../inclusion.ts'
import type { Trusted } from '../note.ts'
import { readBody } from '../opened.ts'
import type { CheckpointRow, LogReader, StoredRecord } from '../store/log-store.ts'
import { readTombstoneRow } from '../tombstone.ts'
import { createTree, pathOf } from '../tree.ts'
import { readKeys } from './keys.ts'
import { readLog } from './read.ts'

export async function proveRecord(io: CommandIo<AuditConfig>): Promise<number> {
  const keys = readKeys(io)
  if (typeof keys === 'string') return refuse(io, 2, keys)
  if (keys.length === 0) return refuse(io, 2, 'there is no verifier beside the log: give it by --key')
  const [id] = io.args
  const { check } = io.options
  if (typeof check === 'string') return showCheck(io, resolve(io.cwd, check), keys)
  if (typeof id !== 'string') return refuse(io, 2, 'expected STREAM:SEQ or the id of a call, or --check FILE')
  return readLog(io, 'audit prove', async ({ reader }) => {
    const proof = await prove(io, reader, id, keys)
    return proof.startsWith('{') ? { code: 0, out: proof, records: 1 } : { code: 1, err: `audit prove: ${printable(proof)}\n`, records: 0 }
  })
}

function refuse(io: CommandIo<AuditConfig>, code: number, why: string): number {
  io.err(`audit prove: ${printable(why)}\n`)
  return code
}

function showCheck(io: CommandIo<AuditConfig>, path: string, keys: readonly Trusted[]): number {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(io, 3, (error as Error).message)
  }
  const found = checkProof(text, keys)
  if (typeof found === 'string') {
    io.out(io.json ? `${JSON.stringify({ proven: false, why: found })}\n` : `NOT PROVEN: ${printable(found)}\n`)
    return 1
  }
  const at = new Date(found.signedAt).toISOString()
  const record: unknown = JSON.parse(found.text)
  io.out(
    io.json
      ? `${JSON.stringify({ proven: true, signedAt: at, record }, null, 2)}\n`
      : `PROVEN by the checkpoint of ${at}:\n${printable(found.text)}\n`,
  )
  return 0
}

/** Text that is no JSON says why there is no proof. */
async function prove(
  { options, signal }: CommandIo<AuditConfig>,
  reader: LogReader,
  id: string,
  keys: readonly Trusted[],
): Promise<string> {
  const found = await findRecord(reader, id, signal)
  // Of another tenant is not found, in the same words.
  if (found === undefined || (options.tenant !== undefined && readBody(found)?.tenant !== options.tenant)) return `there is no record ${id}`
  const { stream, seq } = found
  const row = await findSmallest(reader, stream, seq)
  if (row === undefined) return `no checkpoint covers record ${stream}:${seq} so far; there is one at the latest when the gateway stops`
  const state = readRow(row, note => openCheckpoint(note, keys))
  if (typeof state === 'string') return `the checkpoint of ${row.size} records: ${state}`
  const tombstone = (await reader.tombstones()).find(one => one.stream === stream)
  const stump = tombstone && readTombstoneRow(tombstone, keys)
  if (typeof stump === 'string') return `the tombstone of stream ${stream}: ${stump}`
  const before = createTree(stump?.through, stump?.frontier)
  const leaves: string[] = []
  let body: Uint8Array | undefined
  for await (const page of reader.stream(stream, before.size + 1, signal)) {
    for (const record of page) {
      if (record.seq <= row.size) leaves.push(leafOfBody(record.body))
      if (record.seq === seq) body = record.body
    }
    if (before.size + leaves.length >= row.size) break
  }
  if (body === undefined || before.size + leaves.length < row.size) return `records of stream ${stream} are missing; see mcpgw audit verify`
  const proof = writeProof({ stream, seq, size: row.size, note: row.note }, body, pathOf(leaves, seq - 1, before))
  const checked = checkProof(proof, keys)
  return typeof checked === 'string' ? `the log does not fit its checkpoint of ${row.size} records; see mcpgw audit verify` : proof
}

/** `STREAM:SEQ`, or a call: then the last record of it, which is its end where it has one. */
async function findRecord(reader: LogReader, id: string, signal: AbortSignal): Promise<StoredRecord | undefined> {
  const [, stream, seq] = /^(.+):(\d{1,15})$/.exec(id) ?? []
  const found = stream === undefined ? undefined : await reader.find(stream, Number(seq))
  if (found !== undefined) return found
  const always = { since: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER }
  for await (const page of reader.backward(always, signal)) {
    const last = page.find(one => one.call === id)
    if (last !== undefined) return last
  }
  return undefined
}

async function findSmallest(reader: LogReader, stream: string, seq: number): Promise<CheckpointRow | undefined> {
  let found: CheckpointRow | undefined
  for await (const page of reader.checkpoints())
    for (const row of page)
      if (row.stream === stream && row.size >= seq && row.size < (found?.size ?? Number.POSITIVE_INFINITY)) found = row
  return found
}
