// Findings about a config as data: the codes, what each means, and how one is made from a place in a text.

export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Path as given; a flag (`--http`) or a variable (`MCPGW_LISTEN`) where the value came from there. */
  readonly file: string
  /** 1-based, in UTF-16 units; absent where the whole file is meant. `endColumn` is exclusive. */
  readonly line?: number
  readonly column?: number
  readonly endLine?: number
  readonly endColumn?: number
  /** The source line, for the caret. */
  readonly excerpt?: string
  readonly help?: string
}

/** UTF-16 offsets into the text of a file; `end` is exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type DiagnosticCode =
  | 'config-not-found'
  | 'config-not-a-file'
  | 'config-world-writable'
  | 'config-strange-owner'
  | 'config-too-large'
  | 'config-syntax'
  | 'config-too-deep'
  | 'duplicate-key'
  | 'forbidden-key'
  | 'tag-refused'
  | 'too-many-aliases'
  | 'unknown-key'
  | 'ignored-key'
  | 'missing-key'
  | 'wrong-type'
  | 'bad-value'
  | 'bad-duration'
  | 'bad-id'
  | 'changed-id'
  | 'duplicate-id'
  | 'look-alike-id'
  | 'conflicting-keys'
  | 'unset-variable'
  | 'unknown-secret'
  | 'bad-reference'
  | 'secret-refused'
  | 'chain-always-on'
  | 'servers-replaced'
  | 'openapi-invalid'
  | 'openapi-reference'
  | 'openapi-unsupported'
  | 'unenforced'

/** What each code means, for `mcpgw explain CODE`. */
export const diagnosticCodes: Readonly<Record<DiagnosticCode, string>> = {
  'config-not-found': 'The file does not exist or cannot be read. Check the path; `mcpgw init` writes a first one.',
  'config-not-a-file': 'A config must be a regular file: a pipe or device may give another content when it is read again.',
  'config-strange-owner':
    'Whoever owns a file can change it: it has to be root or the user that runs the gateway. `chown` it to one of them.',
  'config-world-writable': 'Others than its owner could change which commands the gateway starts. `chmod go-w FILE`.',
  'config-too-large': 'A config is at most 1 MB of UTF-8.',
  'config-syntax': 'The text is not valid YAML 1.2 (or JSON). The caret stands where the parser stopped understanding.',
  'config-too-deep': 'Brackets or indentation nest deeper than any config needs.',
  'duplicate-key': 'The same key stands twice in one map; one of the two would be lost.',
  'forbidden-key': 'Merge keys (`<<`) and `__proto__`, `constructor`, `prototype` are not keys of a config.',
  'tag-refused': 'YAML tags (`!foo`, `!!binary`) are not understood; write a plain value.',
  'too-many-aliases': 'Aliases are expanded at most 100 times, to keep a small file from becoming a huge config.',
  'unknown-key': 'A key that nothing reads is a mistake: what it was meant to switch on would stay off.',
  'ignored-key': 'A key of another program that has no meaning here; it changes nothing.',
  'missing-key': 'A key without which the entry means nothing.',
  'wrong-type': 'The value has another type than the key takes. YAML reads `1.0` as a number and `true` as a boolean: put texts in quotes.',
  'bad-value': 'The value has the right type but is not one that the key takes.',
  'bad-duration': 'A duration is a number of milliseconds or a number with a unit: 250ms, 30s, 5m, 2h.',
  'bad-id': 'A server id is a letter or digit, then at most 31 letters, digits, `-` or `_`; no `__`, and not `gateway`.',
  'changed-id': 'The name of a server cannot be its id as it stands, so an id was derived from it.',
  'duplicate-id': 'Two servers have the same id.',
  'look-alike-id': 'Two ids that read alike (upper and lower case) would let one server pass for another.',
  'conflicting-keys': 'The keys exclude each other.',
  'unset-variable': 'The environment has no such variable. It is never taken for an empty text.',
  'unknown-secret': 'The secret store has no such secret.',
  'bad-reference': 'References are ${NAME}, ${env:NAME} and ${secret:name}; they do not nest. Write $${ for a literal ${.',
  'secret-refused': 'Arguments and URLs are seen by other processes and by logs; a secret goes into env, headers or a plugin config.',
  'chain-always-on': 'The audit hash chain cannot be switched off.',
  'servers-replaced': 'The servers of --mcp-json stand in place of those of the config file.',
  'openapi-invalid': 'The OpenAPI document (3.0 or 3.1) is not what it should be at this place, so that no tool can be made of it.',
  'openapi-reference': 'A `$ref` leads within the document, `#/...`, to what is there; other files and the network are never asked.',
  'openapi-unsupported':
    'The operation needs something that is not sent: a body that is no JSON, a parameter of another style, or one that is the credential. Leave the operation out with `operations.exclude`. What is optional is left out of the tool, with a warning.',
  unenforced: 'A section of the config that no loaded plugin enforces. Load the plugin, or take the section out.',
}

export function isDiagnosticCode(code: string): code is DiagnosticCode {
  return Object.hasOwn(diagnosticCodes, code)
}

export interface Text {
  readonly file: string
  readonly text: string
}

/** Line and column of an offset; a line ends at LF, CRLF or CR. */
export function position(text: string, offset: number): { line: number; column: number } {
  let line = 1
  let from = 0
  const ends = /\r\n?|\n/g
  for (let end = ends.exec(text); end !== null && ends.lastIndex <= offset; end = ends.exec(text)) {
    line += 1
    from = ends.lastIndex
  }
  return { line, column: offset - from + 1 }
}

type Finding = Pick<Diagnostic, 'code' | 'message'> & { readonly severity?: Diagnostic['severity']; readonly help?: string | undefined }

/** A finding at a place of a text; without a span it is about the whole file. */
export function diagnose(source: Text, span: Span | undefined, finding: Finding): Diagnostic {
  const { code, message, severity = 'error', help } = finding
  const base = { code, severity, message, file: source.file, ...(help === undefined ? {} : { help }) }
  if (span === undefined) return base
  const start = position(source.text, span.start)
  const end = position(source.text, Math.max(span.start, span.end))
  const from = span.start - start.column + 1
  const excerpt = /^[^\r\n]*/.exec(source.text.slice(from, from + 400))?.[0] ?? ''
  return { ...base, ...start, endLine: end.line, endColumn: end.column, excerpt }
}
