// Adds servers to the text of a config: everything else of it, comments and form, stays as it is.
import { isMap, isSeq, parseDocument, stringify } from 'yaml'

/** `text` is valid. A string where the list of servers cannot be added to. */
export function insertServers(text: string, items: readonly object[]): { readonly text: string } | { readonly problem: string } {
  if (items.length === 0) return { text }
  const document = parseDocument(text)
  if (document.contents !== null && !isMap(document.contents)) return { problem: 'it is no map' }
  const servers: unknown = document.get('servers', true)
  if (servers === undefined || servers === null)
    return { text: `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\nservers:\n${listed(items, '  ')}` }
  if (!isSeq(servers)) return { problem: '`servers` is no list' }
  const [start, end] = servers.range!
  if (servers.flow === true) {
    const inner = items.map(item => JSON.stringify(item)).join(', ')
    if (servers.items.length > 0) return { text: splice(text, text.lastIndexOf(']', end - 1), `, ${inner}`) }
    // What stands in brackets within brackets stays so.
    if (isJson(document.contents)) return { text: splice(text, text.lastIndexOf(']', end - 1), inner) }
    const rest = text.slice(end)
    const line = /^[^\n]*(\n|$)/.exec(rest)![0]
    return {
      text: `${text.slice(0, start).trimEnd()}${line.trimEnd() === '' ? '' : ` ${line.trim()}`}\n${listed(items, '  ')}${rest.slice(line.length)}`,
    }
  }
  const indent = ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1))
  const stop = text[end - 1] === '\n' ? end : text.indexOf('\n', end) + 1
  const at = stop === 0 ? text.length : stop
  const before = text.slice(0, at)
  return { text: `${before}${before.endsWith('\n') ? '' : '\n'}${listed(items, indent)}${text.slice(at)}` }
}

function listed(items: readonly object[], indent: string): string {
  return stringify(items, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, indent)
}

function isJson(contents: unknown): boolean {
  return isMap(contents) && contents.flow === true
}

function splice(text: string, at: number, inner: string): string {
  return text.slice(0, at) + inner + text.slice(at)
}
