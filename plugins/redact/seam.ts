// Values that continue from one text into the next: over two blocks of a result, over two notifications.
import type { JsonObject, JsonValue } from 'mcpgw/plugin'
import { type Finding, labelOf, type Search } from './finding.ts'
import { count, type Tally } from './masker.ts'
import { isObject } from './shape.ts'
import type { Writer } from './writer.ts'

// Long enough for a number or an address; a long secret shows in one of its halves.
const reach = 64

const textBlock = /"type"\s*:\s*"text"/g

/** False only where the JSON text has fewer than two text blocks. */
export function mayHaveSeams(json: string): boolean {
  textBlock.lastIndex = 0
  return textBlock.test(json) && textBlock.test(json)
}

/** The end of a text, as far as a value may reach over it. */
export function tailOf(text: string): string {
  return text.slice(-reach)
}

/**
 * Looks at the ends of neighbouring text blocks as they were, joined directly and by a space, and takes the parts of
 * a value that crosses out of what is masked. A block that is masked already at that end has nothing left to take.
 */
export function createSeams(search: Search, tally: Tally, writer: Writer) {
  return (blocks: readonly JsonValue[], masked: readonly JsonValue[]): readonly JsonValue[] => {
    let out = masked
    for (let i = 0; i + 1 < blocks.length; i++) {
      const left = textOf(blocks[i])
      const right = textOf(blocks[i + 1])
      if (left === undefined || right === undefined) continue
      const cut = findCut(search, left, right)
      if (cut === undefined) continue
      const label = write(cut, tally, writer)
      const copy = out === masked ? [...masked] : (out as JsonValue[])
      copy[i] = withText(copy[i], text => (text.endsWith(cut.tail) ? text.slice(0, text.length - cut.tail.length) + label : text))
      copy[i + 1] = withText(copy[i + 1], text => withoutHead(text, cut, label))
      out = copy
    }
    return out
  }
}

/** `masked`: the text after `left`, without the rest of a value that began there. The same text where none did. */
export function maskHead(left: string, right: string, masked: string, search: Search, tally: Tally, writer: Writer): string {
  const cut = findCut(search, left, right)
  return cut === undefined ? masked : withoutHead(masked, cut, write(cut, tally, writer))
}

interface Cut {
  /** What the value takes from the end of the left text and from the start of the right one. */
  readonly tail: string
  readonly head: string
  readonly finding: Finding
}

function findCut(search: Search, left: string, right: string): Cut | undefined {
  const before = tailOf(left)
  for (const joint of ['', ' ']) {
    for (const finding of search.find(before + joint + right.slice(0, reach), '')) {
      const rest = finding.end - before.length - joint.length
      if (finding.start >= before.length || rest <= 0) continue
      const cut = { tail: before.slice(finding.start), head: right.slice(0, rest), finding }
      // One half is a value by itself: the other is a word that happens to stand there.
      if (![cut.tail, cut.head].some(half => isWhole(search, half, finding.id))) return cut
    }
  }
  return undefined
}

function isWhole(search: Search, half: string, id: string): boolean {
  return search.find(half, '').some(one => one.id === id && one.start === 0 && one.end === half.length)
}

/** Neither half can show what is to be kept of the whole. */
function write({ finding: { id, action, value } }: Cut, tally: Tally, writer: Writer): string {
  count(tally, id)
  return action === 'mask' || action === 'drop' ? labelOf(id) : writer.write(id, action, value)
}

function withoutHead(text: string, { head }: Cut, label: string): string {
  return text.startsWith(head) ? label + text.slice(head.length) : text
}

function textOf(block: JsonValue | undefined): string | undefined {
  return isObject(block) && block.type === 'text' && typeof block.text === 'string' ? block.text : undefined
}

function withText(block: JsonValue | undefined, edit: (text: string) => string): JsonValue {
  const object = block as JsonObject
  return Object.assign(Object.create(null) as JsonObject, object, { text: edit(object.text as string) })
}
