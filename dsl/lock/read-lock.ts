// From the text of a lock file to a Lock: whatever is not as `mcpgw catalog lock` writes it is refused, each with its place.
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Lock } from './lock.ts'
import { expected, type Read, readFlag, readList, readObject, readPlain, readRecord, readString } from './read-members.ts'

/** Deeper than any schema; the reader calls itself for each level. */
const deepest = 200

/** `lock` only where nothing is wrong. Its records have no prototype. */
export function readLock(text: string, file: string): { readonly lock?: Lock; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const report = (at: Pick<Node, 'offset' | 'length'>, message: string): void => {
    const span = { file, start: at.offset, end: at.offset + at.length }
    diagnostics.push({ code: 'bad-lock', severity: 'error', message, span, help: 'write it anew with `mcpgw catalog lock`' })
  }
  if (depthOf(text) > deepest) {
    report({ offset: 0, length: 0 }, `the lock is nested deeper than ${deepest} levels`)
    return { diagnostics }
  }
  const errors: ParseError[] = []
  const tree = parseTree(text.replace(/^\ufeff/, ' '), errors, { disallowComments: true })
  const [first] = errors
  if (first !== undefined || tree === undefined) {
    const reason = first === undefined ? 'it is empty' : asWords(printParseErrorCode(first.error))
    report(first ?? { offset: 0, length: 0 }, `the lock is not JSON: ${reason}`)
    return { diagnostics }
  }
  const lock = readWhole({ report }, tree, '') as Lock | undefined
  return diagnostics.length > 0 || lock === undefined ? { diagnostics } : { lock, diagnostics }
}

const readVersion: Read = (reader, node, path) => (node.value === 1 ? 1 : expected(reader, node, '`1`', path))
const readDigest: Read = (reader, node, path) =>
  typeof node.value === 'string' && /^[0-9a-f]{64}$/.test(node.value) ? node.value : expected(reader, node, 'a SHA-256 in hex', path)
const readSchema: Read = (reader, node, path) =>
  typeof node.value === 'boolean' || node.type === 'object' ? readPlain(reader, node, path) : expected(reader, node, 'a JSON Schema', path)

const readArgument = readObject({ name: readString }, { required: readFlag, description: readString })
const readServer = readObject({
  tools: readList(
    readObject(
      { name: readString, digest: readDigest, inputSchema: readSchema },
      { description: readString, outputSchema: readSchema, annotations: readRecord(readPlain) },
    ),
    'name',
  ),
  resources: readList(readObject({ uri: readString, digest: readDigest }, { name: readString }), 'uri'),
  templates: readList(readObject({ uriTemplate: readString, digest: readDigest }, { name: readString }), 'uriTemplate'),
  prompts: readList(
    readObject({ name: readString, digest: readDigest }, { description: readString, arguments: readList(readArgument, 'name') }),
    'name',
  ),
})
const readWhole = readObject({
  v: readVersion,
  servers: readRecord(readServer),
  roles: readList(readString),
  tenants: readList(readString),
  dischargers: readList(readString),
})

// Brackets within strings count too: a bound needs no more.
function depthOf(text: string): number {
  let depth = 0
  let most = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 123 || unit === 91) most = Math.max(most, ++depth)
    else if (unit === 125 || unit === 93) depth--
  }
  return most
}

function asWords(code: string): string {
  return code.replace(/[A-Z]/g, (found, at: number) => `${at === 0 ? '' : ' '}${found.toLowerCase()}`)
}
