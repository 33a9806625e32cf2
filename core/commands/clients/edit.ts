// Changes one member of a JSON file as people keep it: comments, trailing commas and the form of everything else stay.
import {
  applyEdits,
  type FormattingOptions,
  findNodeAtLocation,
  type JSONPath,
  modify,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { position } from '../../config/diagnostic.ts'

/** A string says what is wrong, and where. */
export function readObject(file: string, text: string): Node | string {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) {
    const { line, column } = position(text, first.offset)
    return `${file}:${line}:${column}: ${printParseErrorCode(first.error)}`
  }
  return root?.type === 'object' ? root : `${file}:1:1: a JSON object is expected`
}

/** `text` holds an object; what stands at `path` before is replaced. */
export function setMember(text: string, path: JSONPath, value: unknown): string {
  const root = parseTree(text, [], { allowTrailingComma: true })
  const parent = root && findNodeAtLocation(root, path.slice(0, -1))
  const isNew = root !== undefined && findNodeAtLocation(root, path) === undefined
  const appended = isNew && parent?.type === 'object' ? append(text, parent, String(path.at(-1)), value) : undefined
  return appended ?? applyEdits(text, modify(text, path, value, { formattingOptions: formOf(text) }))
}

/** With the comment that stands behind it on its line. Text without such a member stays as it is. */
export function removeMember(text: string, path: JSONPath): string {
  const root = parseTree(text, [], { allowTrailingComma: true })
  const node = root && findNodeAtLocation(root, path)?.parent
  const siblings = node?.parent?.children ?? []
  if (node === undefined) return text
  let [from, to] = [node.offset, node.offset + node.length]
  const comma = /^\s*,/.exec(text.slice(to))
  if (comma !== null) to += comma[0].length
  const previous = siblings[siblings.indexOf(node) - 1]
  const lineStart = text.lastIndexOf('\n', from) + 1
  const rest = /^[ \t]*(?:\/\/[^\r\n]*|\/\*(?:(?!\*\/)[^\r\n])*\*\/)?[ \t]*(?:\r?\n|$)/.exec(text.slice(to))
  if (rest !== null && /^[ \t]*$/.test(text.slice(lineStart, from))) [from, to] = [lineStart, to + rest[0].length]
  const after = text.slice(to)
  if (comma !== null || previous === undefined) return text.slice(0, from) + after
  // It was the last: the comma before it goes too.
  const end = previous.offset + previous.length
  return text.slice(0, end) + text.slice(end, from).replace(',', '') + after
}

// Behind the comment that the last member has on its line, which would else become that of the new one.
function append(text: string, parent: Node, key: string, value: unknown): string | undefined {
  const last = parent.children?.at(-1)
  if (last === undefined) return undefined
  const end = last.offset + last.length
  const rest = /^([ \t]*,?)[ \t]*(?:\/\/[^\r\n]*|\/\*(?:(?!\*\/)[^\r\n])*\*\/)?[ \t]*(?=\r?\n)/.exec(text.slice(end))
  const lineStart = text.lastIndexOf('\n', last.offset) + 1
  const indent = /^([ \t]*)(?:\/\*(?:(?!\*\/).)*\*\/[ \t]*)*$/.exec(text.slice(lineStart, last.offset))?.[1]
  if (rest === null || indent === undefined) return undefined
  const { eol, insertSpaces, tabSize } = formOf(text)
  const lines = JSON.stringify(value, null, insertSpaces === true ? tabSize : '\t').split('\n')
  const isTrailing = rest[1]!.includes(',')
  const member = `${eol}${indent}${JSON.stringify(key)}: ${lines.join(`${eol}${indent}`)}${isTrailing ? ',' : ''}`
  const after = end + rest[0].length
  return `${text.slice(0, end)}${isTrailing ? '' : ','}${text.slice(end, after)}${member}${text.slice(after)}`
}

function formOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol: text.includes('\r\n') ? '\r\n' : '\n' }
}
