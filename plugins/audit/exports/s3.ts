// Brings batches to an object store, each as an object of its own that is never overwritten. Keys tell what is in them, and list in the order of a stream.
import { hash } from 'node:crypto'
import type { S3Place } from '../s3.ts'
import type { Batch, Limits, Target } from './batch.ts'

const LIMITS: Limits = { records: 10_000, bytes: 8_388_608 }

export function s3Target(place: S3Place, contentType: string): Target {
  return {
    name: place.name,
    limits: LIMITS,
    deliver(batch, signal) {
      const body = Buffer.from(`${batch.lines.join('\n')}\n`)
      return place.put({ key: objectKey(batch, body, contentType), body, contentType }, signal)
    },
  }
}

/**
 * `STREAM/FROM-TO-DIGEST.jsonl`, or `.txt`. The digest (of SHA-256, 32 hex digits) is of the content: the same records in another batch after a kill,
 * in another form, or without the name of somebody who was erased since then, are another object.
 */
export function objectKey({ stream, from, to }: Omit<Batch, 'events' | 'lines'>, body: Uint8Array, contentType: string): string {
  const folder = stream.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 200)
  const extension = contentType === 'application/x-ndjson' ? 'jsonl' : 'txt'
  return `${/[^.]/.test(folder) ? folder : '_'}/${seqText(from)}-${seqText(to)}-${hash('sha256', body, 'hex').slice(0, 32)}.${extension}`
}

/** As wide as the largest. */
const seqText = (seq: number): string => String(seq).padStart(16, '0')
