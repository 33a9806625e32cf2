// `policy import`: the YAML policies of a gateway.yaml as a policy file; what cannot be kept is shown where it stands, and nothing is written.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { builtInDischargers, checkPolicies, formatChecked, importPolicies, renderReport } from 'mcpgw/policy'
import { isMap, LineCounter, parseDocument } from 'yaml'
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
  const imported = importPolicies(policies)
  const problems = [...(imported.ok ? [] : imported.problems), ...references(policies, [])]
  for (const { path, message } of problems) io.err(`error[import]: ${placeOf(offsetOf(['policies', ...path]))}: ${message}`)
  if (!imported.ok || problems.length > 0) return 1
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
  function offsetOf(path: readonly (string | number)[]): number {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined
      if (node?.range?.[0] !== undefined) return node.range[0]
    }
    return 0
  }
}

// What the gateway would put in for `${NAME}` is not known here.
function references(value: unknown, path: readonly (string | number)[]): { path: readonly (string | number)[]; message: string }[] {
  if (typeof value === 'string')
    return /\$\{[^}]*\}/.test(value) ? [{ path, message: `\`${value}\` stands for something that is not known here: write it out` }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => references(one, [...path, Array.isArray(value) ? Number(key) : key]))
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
