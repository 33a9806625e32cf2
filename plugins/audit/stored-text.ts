// What of a call's content may be stored: masked, without injected secrets, bounded, on one line.
import type { Masking, Payload } from 'mcpgw/plugin'
import { onOneLine, quote, serialise } from './json-text.ts'

const PREVIEW = 1024
// Masked before it is cut, so that the cut cannot take the end off something that would have been recognised.
const WINDOW = 4 * PREVIEW
const NAME = 512
// The first so many are remembered; uris may differ in every call.
const KNOWN_NAMES = 500

/** Of a call what it was given, or what a client says to the questions of a server. */
export type ArgsLabel = 'args' | 'inputs'
type Label = ArgsLabel | 'result'

export interface StoredText {
  /** Members of a record for the arguments of an admitted call: `args`, or a flagged preview where they are longer than the limit. */
  readonly args: (sent: Payload, label: ArgsLabel) => string
  /** The same for a refused call, of which no masker has seen anything: nothing without a Masking service, or beyond the limit. */
  readonly refusedArgs: (raw: Payload, label: ArgsLabel) => string
  /** The member `result`: an answer as the caller gets it, masked once more. */
  readonly result: (answer: Payload) => string
  /** A name, uri or reason as a JSON string. */
  readonly name: (text: string) => string
  /** False where a secret has become known since the text was made. */
  readonly isStorable: (text: string) => boolean
}

export function createStoredText(masking: () => Masking | undefined, scrub: (text: string) => string, maxBytes: number): StoredText {
  const names = new Map<string, string>()

  function preview(text: string, label: Label): string {
    const masked = scrub(masking()?.text(text) ?? text)
    return `,"${label}Truncated":true,"${label}Preview":${quote(masked.slice(0, PREVIEW))}`
  }

  /** The same few names come with every call. */
  function maskName(text: string): string {
    const masker = masking()
    if (masker === undefined) return text
    const known = names.get(text)
    if (known !== undefined) return known
    const masked = masker.text(text)
    if (names.size < KNOWN_NAMES && text.length <= NAME) names.set(text, masked)
    return masked
  }

  function masked(payload: Payload, label: Label): string {
    const value = masking()?.value(payload)
    // Where nothing was found the text as it came is the text to store.
    const text = value === undefined ? payload.text : serialise(value)
    if (text.length > maxBytes) return preview(text.slice(0, WINDOW), label)
    const scrubbed = scrub(text)
    return `,"${label}":${scrubbed === text ? onOneLine(text) : asJson(scrubbed)}`
  }

  /** Whole where there is room for it, else its beginning. */
  function content(payload: Payload, label: Label): string {
    const { buffer, byteOffset, length } = payload.bytes
    if (length <= maxBytes) return masked(payload, label)
    return preview(Buffer.from(buffer, byteOffset, Math.min(WINDOW, length)).toString('utf8'), label)
  }

  return {
    args: content,
    result: answer => content(answer, 'result'),
    refusedArgs: (raw, label) => (masking() !== undefined && raw.bytes.length <= maxBytes ? masked(raw, label) : ''),
    isStorable: text => scrub(text) === text,
    name(text) {
      const masked = maskName(text)
      const scrubbed = scrub(masked)
      return quote(scrubbed.length > NAME ? scrubbed.slice(0, NAME) : scrubbed)
    },
  }
}

/** Scrubbing may have replaced a bare number; then the text is kept as a string. */
function asJson(scrubbed: string): string {
  try {
    JSON.parse(scrubbed)
    return onOneLine(scrubbed)
  } catch {
    return quote(scrubbed)
  }
}
