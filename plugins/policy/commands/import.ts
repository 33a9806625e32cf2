// `policy import`: the YAML policies of a gateway.yaml as a policy file; what cannot be kept is shown where it stands, and nothing is written.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { builtInDischargers, checkPolicies, formatChecked, importPolicies, renderReport } from 'mcpgw/policy'
import { isMap, LineCounter, parseDocument } from 'yaml'
import { fillIn, type Path } from './fill-in.ts'
import { fail, type Io, readText, reasonOf, shown, textOption } from './inputs.ts'

export async function importFile(io: Io): Promise<number> {
  const read = await readText(io, io.args[0] as string)
  if (read === undefined) return 2
  const file = shown(io, read.path)
  const lines = new LineCounter()
  const document = parseDocument(read.text.replace(/^\ufeff/, ''), { lineCounter: lines, version: '1.2' })
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken !== undefined) return fail(io, `${placeOf(broken.pos[0])}: ${broken.message.split('\n')[0]?.replace(/ at line .*/, '')}`)
  const policies = isMap(document.contents) ? (document.toJS({ maxAliasCount: 100 }) as { policies?: unknown }).policies : undefined
  if (policies === undefined) return fail(io, `${file}: there is no \`policies\``)
  if (Array.isArray(policies) && policies.length > 0 && policies.every(one => typeof one === 'string'))
    return fail(io, `${file}: \`policies\` names files of the policy language already`)
  const filled = fillIn(policies, io)
  const imported = importPolicies(filled.value)
  const problems = [...filled.problems, ...(imported.ok ? [] : imported.problems.filter(one => !isAbout(one.path, filled.problems)))]
  const placed = problems.map(({ path, message }) => ({ at: offsetOf(['policies', ...path]), message })).toSorted((a, b) => a.at - b.at)
  for (const { at, message } of placed) io.err(`error[import]: ${placeOf(at)}: ${message}`)
  if (!imported.ok || problems.length > 0) return 1
  for (const { path, names } of filled.used)
    io.err(`note: ${placeOf(offsetOf(['policies', ...path]))}: filled in with what ${names.join(', ')} is now`)
  const text = settle(io, imported.text)
  if (text === undefined) return 1
  const out = textOption(io, 'out')
  if (out === undefined) {
    io.out(text)
    return 0
  }
  try {
    await writeFile(resolve(io.cwd, out), text, { flag: 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    io.err(`error[import]: ${out}: ${exists ? 'exists already, and nothing is overwritten' : reasonOf(error)}`)
    return 3
  }
  io.out(`written to ${out}`)
  return 0

  // Where the nearest part of it stands that the file has.
  function offsetOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined
      if (node?.range?.[0] !== undefined) return node.range[0]
    }
    return 0
  }
}

// In the form of the formatter, and without an error, or it is not given out.
function settle(io: Io, text: string): string | undefined {
  const source = { file: 'imported.policy', text }
  const { diagnostics } = checkPolicies([source], { dischargers: builtInDischargers, now: new Date(io.clock.now()) })
  const errors = diagnostics.filter(one => one.severity === 'error')
  const formatted = formatChecked(source)
  if ('text' in formatted && errors.length === 0) return formatted.text
  io.err(renderReport('pretty', { diagnostics: errors, sources: [source], failLevel: 'error' }))
  return undefined
}

// Of a text that could not be filled in, nothing else is said.
function isAbout(path: Path, problems: readonly { readonly path: Path }[]): boolean {
  return problems.some(one => path.every((step, at) => one.path[at] === step))
}
