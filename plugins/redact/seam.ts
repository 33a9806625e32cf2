// Values that continue from one text block of a result into the next.
import type { JsonObject, JsonValue } from 'mcpgw/plugin'
import { plan, type Tally } from './masker.ts'
import type { Scanner } from './scanner.ts'
import { isObject } from './shape.ts'

// Long enough for a number or an address; a long secret shows in one of its halves.
const reach = 64

const textBlock = /"type"\s*:\s*"text"/g

/** False only where the JSON text has fewer than two text blocks. */
export function mayHaveSeams(json: string): boolean {
  textBlock.lastIndex = 0
  return textBlock.test(json) && textBlock.test(json)
}

/**
 * Looks at the ends of neighbouring text blocks as they were (`blocks`), joined directly and by a space, and takes the parts of
 * a value that crosses out of `masked`. A block that is masked already at that end has nothing left to take.
 */
export function maskSeams(
  scanner: Scanner,
  blocks: readonly JsonValue[],
  masked: readonly JsonValue[],
  tally: Tally,
): readonly JsonValue[] {
  let out = masked
  for (let i = 0; i + 1 < blocks.length; i++) {
    const left = textOf(blocks[i])
    const right = textOf(blocks[i + 1])
    if (left === undefined || right === undefined) continue
    const cut = ['', ' '].map(joint => crossing(scanner, left, joint, right, tally)).find(found => found !== undefined)
    if (cut === undefined) continue
    const copy = out === masked ? [...masked] : (out as JsonValue[])
    copy[i] = withText(copy[i], text => (text.endsWith(cut.tail) ? text.slice(0, text.length - cut.tail.length) + cut.label : text))
    copy[i + 1] = withText(copy[i + 1], text => (text.startsWith(cut.head) ? cut.label + text.slice(cut.head.length) : text))
    out = copy
  }
  return out
}

interface Cut {
  /** What the value takes from the end of the left text and from the start of the right one. */
  readonly tail: string
  readonly head: string
  readonly label: string
}

function crossing(scanner: Scanner, left: string, joint: string, right: string, tally: Tally): Cut | undefined {
  const before = left.slice(-reach)
  const found = scanner.find(before + joint + right.slice(0, reach), '')
  for (const span of found.spans) {
    const from = found.origin?.[span.start] ?? span.start
    const to = found.origin?.[span.end] ?? span.end
    if (from >= before.length || to <= before.length + joint.length) continue
    const [label] = plan({ ...found, spans: [{ ...span, detector: { ...span.detector, action: 'replace' } }] }, tally)
    return { tail: before.slice(from), head: right.slice(0, to - before.length - joint.length), label: label!.replacement }
  }
  return undefined
}

function textOf(block: JsonValue | undefined): string | undefined {
  return isObject(block) && block.type === 'text' && typeof block.text === 'string' ? block.text : undefined
}

function withText(block: JsonValue | undefined, edit: (text: string) => string): JsonValue {
  const object = block as JsonObject
  return Object.assign(Object.create(null) as JsonObject, object, { text: edit(object.text as string) })
}
