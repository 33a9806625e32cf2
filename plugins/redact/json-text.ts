// Edits a text that is itself a JSON document, leaf by leaf, and leaves its layout alone.
import { type Node, parseTree } from 'jsonc-parser'

export interface JsonText {
  readonly text: string
  readonly root: Node
}
export type { Node }

export interface Edit {
  readonly node: Node
  /** JSON text. */
  readonly replacement: string
}

/** Only documents (objects and arrays) count; undefined for every other text. Throws where it is nested beyond what the stack carries. */
export function readDocument(text: string): JsonText | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const root = parseTree(text)
  return root === undefined ? undefined : { text, root }
}

/** `edits` in any order, none inside another. */
export function applyEdits({ text }: JsonText, edits: readonly Edit[]): string {
  if (edits.length === 0) return text
  let out = ''
  let done = 0
  for (const { node, replacement } of edits.toSorted((a, b) => a.node.offset - b.node.offset)) {
    out += text.slice(done, node.offset) + replacement
    done = node.offset + node.length
  }
  return out + text.slice(done)
}

/** Calls `visit` for each key and leaf, with the name of the nearest member around it, and collects the replacements. */
export function editLeaves(root: Node, visit: (node: Node, key: string, isKey: boolean) => string | undefined): readonly Edit[] {
  const edits: Edit[] = []
  const walk = (node: Node, key: string, isKey: boolean): void => {
    if (node.type === 'property') {
      const [name, value] = node.children!
      walk(name!, '', true)
      walk(value!, String(name!.value), false)
    } else if (node.children !== undefined) {
      for (const child of node.children) walk(child, key, false)
    } else {
      const replacement = visit(node, key, isKey)
      if (replacement !== undefined) edits.push({ node, replacement })
    }
  }
  walk(root, '', false)
  return edits
}
