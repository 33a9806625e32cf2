// What must hold of the record after each fault: proven against its anchor, every call ended once, every answer on record.
import { join } from 'node:path'
import { expect } from 'vitest'
import { readRecords, type ShownRecord, verify } from '../e2e/records.ts'

/** The plugin with many checkpoints, each of them also in `anchorIn(dir)`. */
export function anchoredAudit(dir: string, config: object = {}): { audit: object } {
  return { audit: { checkpoints: { records: 20, every: '1s' }, anchors: [{ file: anchorIn(dir) }], ...config } }
}

export const anchorIn = (dir: string): string => join(dir, 'anchor.txt')

/**
 * Reads the log that a gateway with `anchoredAudit` left in `dir`. `answered`: names of calls (argument `name`) whose answer arrived.
 * `ended`: no gateway was killed since the last start, so no call is open.
 */
export function expectProven(dir: string, answered: Iterable<string>, { ended = true } = {}): ShownRecord[] {
  // Before the verification, which has a stream of its own.
  const records = readRecords(dir)
  const { code, said } = verify(dir, anchorIn(dir))
  expect(code, said).toBe(0)
  // An intent that was stored although its append failed ends with the refusal of the call.
  const ends = new Map<string, string[]>()
  for (const { type, callId = '', outcome = '' } of records) {
    if (type === 'outcome' || type === 'refusal') ends.set(callId, [...(ends.get(callId) ?? []), outcome])
  }
  const intents = records.filter(record => record.type === 'intent')
  const callOf = new Map(intents.map(record => [String(record.args?.name), String(record.callId)]))
  const endsOf = (name: string): string => (ends.get(callOf.get(name) ?? '') ?? []).join()
  expect(Array.from(answered).filter(name => endsOf(name) !== 'answered')).toEqual([])
  if (ended) expect(intents.filter(record => ends.get(String(record.callId))?.length !== 1)).toEqual([])
  expect(new Set(records.map(record => `${record.stream}:${record.seq}`)).size).toBe(records.length)
  return records
}
