// Proof that one record stands in a signed log, without the log: the record, its place, the path to the root, and the note with that root.
import { leafOfBody } from './chain.ts'
import { openCheckpoint } from './checkpoint-row.ts'
import type { Trusted } from './note.ts'
import { type Hash, rootFromPath } from './tree.ts'

/** As it is written to a file. */
export interface InclusionProof {
  readonly version: 1
  readonly stream: string
  readonly seq: number
  /** The exact bytes, in base64: what is hashed. */
  readonly body: string
  /** Records of the stream at that checkpoint. */
  readonly size: number
  /** Base64, from the record's sibling up (RFC 6962, section 2.1.1). */
  readonly path: readonly string[]
  readonly note: string
}

export interface Proven {
  readonly text: string
  /** ms since 1970: when the checkpoint was signed. */
  readonly signedAt: number
}

export function writeProof(
  about: Pick<InclusionProof, 'stream' | 'seq' | 'size' | 'note'>,
  body: Uint8Array,
  path: readonly Hash[],
): string {
  const proof: InclusionProof = {
    version: 1,
    ...about,
    body: Buffer.from(body).toString('base64'),
    path: path.map(one => Buffer.from(one, 'latin1').toString('base64')),
  }
  return `${JSON.stringify(proof, null, 2)}\n`
}

/** A string says what it does not prove. */
export function checkProof(text: string, trusted: readonly Trusted[]): Proven | string {
  const proof = parse(text)
  if (proof === undefined) return 'expected a proof as `mcpgw audit prove` prints it'
  const { stream, seq, size, note } = proof
  const checkpoint = openCheckpoint(note, trusted)
  if (checkpoint === undefined) return 'its note is not signed by a trusted key'
  const state = checkpoint.streams.find(one => one.stream === stream && one.size === size)
  if (state === undefined) return `its note does not say that stream ${stream} had ${size} records`
  const body = Buffer.from(proof.body, 'base64')
  const path = proof.path.map(one => Buffer.from(one, 'base64').toString('latin1'))
  if (path.some(one => one.length !== 32) || rootFromPath(leafOfBody(body), seq - 1, size, path) !== state.root)
    return 'the record and the path do not lead to the root that was signed'
  const told = parseObject(body.toString())
  if (told?.stream !== stream || told.seq !== seq) return 'the record says that it stands in another place'
  return { text: body.toString(), signedAt: checkpoint.at }
}

function parse(text: string): InclusionProof | undefined {
  const value = parseObject(text) as Partial<InclusionProof> | undefined
  const isWhole =
    value?.version === 1 &&
    [value.stream, value.body, value.note].every(one => typeof one === 'string') &&
    [value.seq, value.size].every(one => Number.isSafeInteger(one) && Number(one) > 0) &&
    Array.isArray(value.path) &&
    value.path.every(one => typeof one === 'string')
  return isWhole ? (value as InclusionProof) : undefined
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
