// Fenced blocks of a Markdown page, each with its language, its line, and the marks in the HTML comments right above it.

export interface Block {
  readonly language: string
  readonly text: string
  /** 1-based, of the opening fence. */
  readonly line: number
  /**
   * What the page says of the block where readers do not see it:
   * `file: NAME` keeps it under that name, `exits with N` expects this code, `run by FILE` says which test runs it, `test command` and `run command` are the README's two.
   */
  readonly marks: readonly string[]
}

const KNOWN_MARKS = /^(file: [\w./-]+|exits with \d+|run by test\/[\w./-]+|run command|test command)$/

export function readBlocks(text: string): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*$/.exec(lines[at]!)
    if (fence === null) continue
    const [, indent = '', ticks = '', language = ''] = fence
    const end = lines.findIndex((line, index) => index > at && line.trim() === ticks)
    if (end < 0) throw new Error(`line ${at + 1}: the block is never closed`)
    const body = lines.slice(at + 1, end).map(line => (line.startsWith(indent) ? line.slice(indent.length) : line))
    blocks.push({ language, text: `${body.join('\n')}\n`, line: at + 1, marks: readMarks(lines, at) })
    at = end
  }
  return blocks
}

function readMarks(lines: readonly string[], fence: number): string[] {
  const marks: string[] = []
  for (let at = fence - 1; at >= 0; at--) {
    const mark = /^\s*<!-- (.*) -->$/.exec(lines[at]!)?.[1]
    if (mark === undefined) break
    if (!KNOWN_MARKS.test(mark)) throw new Error(`line ${at + 1}: unknown mark ${JSON.stringify(mark)}`)
    marks.unshift(mark)
  }
  return marks
}

/** What stands after `name: ` (or `name `) in a mark. */
export function markValue(block: Block, name: string): string | undefined {
  return block.marks.find(mark => mark.startsWith(name))?.slice(name.length)
}
