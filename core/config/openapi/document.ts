// An OpenAPI document: read once, from a file beside the config, and followed within itself alone.
import { basename, extname, relative, resolve } from 'node:path'
import { type Diagnostic, type DiagnosticCode, diagnose } from '../diagnostic.ts'
import { NamedFileFault, readNamedFile } from '../named-file.ts'
import { parseJson, parseYaml } from '../parse.ts'
import { find, limits, member, type Source, type Tree } from '../tree.ts'

const MAX_BYTES = 8 * 1024 * 1024
const MAX_NODES = 1_000_000
const MAX_HOPS = 16

export interface OpenApiDocument {
  readonly source: Source
  /** 3.0: its schemas are not quite JSON Schema. */
  readonly isOld: boolean
  /** What a `$ref` stands for, or the tree itself; undefined where it leads nowhere, which is reported. */
  resolve(tree: Tree | undefined): Tree | undefined
  /** Where a `$ref` leads, without a word: the pointer, and what is there. */
  follow(ref: string): Tree | undefined
  report(at: Tree | undefined, code: DiagnosticCode, message: string, severity?: Diagnostic['severity']): void
}

/** `file` is what diagnostics show. */
export async function openDocument(
  written: string,
  root: string,
  diagnostics: Diagnostic[],
): Promise<OpenApiDocument | { readonly problem: string; readonly help?: string | undefined } | undefined> {
  const path = resolve(root, written)
  const within = relative(root, path)
  const file = within.startsWith('..') ? path : within || basename(path)
  let text: string
  try {
    const bytes = await readNamedFile({ path, root, secret: false, maxBytes: MAX_BYTES })
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof NamedFileFault) return { problem: error.message, help: error.help }
    return { problem: `${file} is not valid UTF-8` }
  }
  const parsed = /^\.jsonc?$/.test(extname(path)) ? await parseJson({ file, text }) : await parseYaml({ file, text }, MAX_NODES)
  diagnostics.push(...parsed.diagnostics)
  const { source } = parsed
  if (source === undefined || parsed.diagnostics.length > 0) return undefined
  const document = createDocument(source, diagnostics)
  return document
}

function createDocument(source: Source, diagnostics: Diagnostic[]): OpenApiDocument | undefined {
  const report: OpenApiDocument['report'] = (at, code, message, severity = 'error') => {
    // Nobody reads more; an error is never lost among warnings.
    if (diagnostics.filter(one => one.severity === severity).length >= limits.diagnostics) return
    const help = severity === 'error' && code !== 'openapi-invalid' ? 'leave the operation out with operations.exclude' : undefined
    diagnostics.push(diagnose(source, (at ?? source.root).span, { code, message, severity, help }))
  }
  const version = textOf(source.root, 'openapi') ?? ''
  if (!/^3\.[01](\.\d+)?$/.test(version)) {
    report(member(source.root, 'openapi'), 'openapi-invalid', 'expected "openapi: 3.0.x" or "openapi: 3.1.x" at the top of the document')
    return undefined
  }
  const follow = (ref: string): Tree | undefined => {
    const steps = ref.startsWith('#/') ? pointerOf(ref) : undefined
    return steps && find(source.root, numbered(source.root, steps))
  }
  return {
    source,
    isOld: version.startsWith('3.0'),
    report,
    follow,
    resolve(tree) {
      let at = tree
      for (let hops = 0; hops < MAX_HOPS; hops++) {
        const ref = textOf(at, '$ref')
        if (ref === undefined) return at
        const next = follow(ref)
        if (next === undefined) {
          const why = ref.startsWith('#/') ? 'leads nowhere' : 'leads out of the document, and nothing is fetched'
          report(member(at, '$ref'), 'openapi-reference', `this reference ${why}`)
          return undefined
        }
        at = next
      }
      report(tree, 'openapi-reference', `more than ${MAX_HOPS} references to each other`)
      return undefined
    },
  }
}

/** The member where it is a text. */
export function textOf(tree: Tree | undefined, key: string): string | undefined {
  const found = member(tree, key)
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined
}

export function isTrue(tree: Tree | undefined, key: string): boolean {
  const found = member(tree, key)
  return found?.kind === 'scalar' && found.value === true
}

function pointerOf(ref: string): string[] | undefined {
  try {
    return ref
      .slice(2)
      .split('/')
      .map(step => decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~'))
  } catch {
    return undefined
  }
}

/** Steps into lists are numbers. */
function numbered(root: Tree, steps: readonly string[]): (string | number)[] {
  const path: (string | number)[] = []
  for (const step of steps) path.push(find(root, path)?.kind === 'list' && /^\d{1,6}$/.test(step) ? Number(step) : step)
  return path
}
