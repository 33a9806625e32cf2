// What a rule's `then` asks for: known to somebody, and with the arguments that it takes.
import type { ObligationArg, ObligationNode } from '../ast.ts'
import type { Duty } from '../decision.ts'
import type { Report } from './report.ts'

type Arg = Duty['args'][number]
/** What is wrong with the arguments, or undefined. */
type Shape = (args: readonly ObligationArg[]) => string | undefined

const PATH = /^\$(?:\.(?:\*|[\p{L}_$][\p{L}\p{N}_$-]*)|\[(?:\*|\d{1,9}|"(?:[^"\\]|\\.)*"|'[^'\\]*')\])+$/u
const LIMIT_BY = ['principal', 'tenant', 'server', 'tool', 'all']

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['redact', redact],
  ['log', log],
  ['limit', limit],
  ['approval', approval],
])

export function dutiesOf(nodes: readonly ObligationNode[], dischargers: ReadonlySet<string>, report: Report): readonly Duty[] {
  return nodes.flatMap(({ name, args, span }) => {
    if (!dischargers.has(name.value)) {
      const known = [...dischargers].toSorted().map(one => `\`${one}\``)
      const help = known.length === 0 ? 'no loaded plugin carries out any obligation' : `carried out are ${known.join(', ')}`
      report.say('unknown-obligation', `expected an obligation that a loaded plugin carries out, found \`${name.value}\``, name.span, {
        help,
      })
      return []
    }
    const wrong = shapes.get(name.value)?.(args)
    if (wrong === undefined) return [{ name: name.value, args: args.map(argOf) }]
    report.say('bad-obligation', wrong, span)
    return []
  })
}

function argOf({ name, value }: ObligationArg): Arg {
  const plain = value.kind === 'word' ? value.word.value : value.kind === 'int' ? value.int.value : value.duration.text
  return name === undefined ? { value: plain } : { name: name.value, value: plain }
}

function redact(args: readonly ObligationArg[]): string | undefined {
  const expected = 'expected field paths such as `redact("$.ssn", "$.cards[*].number")`'
  if (args.length === 0) return `${expected}, found none`
  for (const { name, value } of args)
    if (name !== undefined || value.kind !== 'word' || !PATH.test(value.word.value)) return `${expected}, found \`${shown(value)}\``
  return undefined
}

function log(args: readonly ObligationArg[]): string | undefined {
  const [first] = args
  const isLevel = first?.value.kind === 'word' && ['meta', 'args', 'full'].includes(first.value.word.value)
  if (args.length === 1 && first?.name === undefined && isLevel) return undefined
  return `expected one of \`log(meta)\`, \`log(args)\` and \`log(full)\`, found ${first === undefined ? 'nothing' : `\`${shown(first.value)}\``}`
}

function limit(args: readonly ObligationArg[]): string | undefined {
  const expected = 'expected `limit(20, per: 1h, by: principal)`'
  const [count, per, by] = [find(args, undefined), find(args, 'per'), find(args, 'by')]
  if (count === undefined || per === undefined || args.length !== (by === undefined ? 2 : 3))
    return `${expected}, found other arguments than a number, \`per\` and \`by\``
  if (count.kind !== 'int') return `${expected}, found \`${shown(count)}\` for the number of calls`
  if (per.kind !== 'duration' || per.duration.ms < 1) return `${expected}, found \`${shown(per)}\` for the window \`per\``
  if (by !== undefined && (by.kind !== 'word' || !LIMIT_BY.includes(by.word.value)))
    return `expected ${list(LIMIT_BY)} for \`by\`, found \`${shown(by)}\``
  return undefined
}

function approval(args: readonly ObligationArg[]): string | undefined {
  const expected = 'expected `approval(by: "role:finance", timeout: 15m)`'
  const [by, timeout] = [find(args, 'by'), find(args, 'timeout')]
  if (args.length !== 2 || by?.kind !== 'word' || timeout?.kind !== 'duration') return `${expected}, found other arguments`
  if (!/^(?:role|principal):./s.test(by.word.value)) return `expected role:NAME or principal:ID for \`by\`, found \`${shown(by)}\``
  if (timeout.duration.ms < 1) return `${expected}, found \`${shown(timeout)}\` for the time that it waits`
  return undefined
}

function find(args: readonly ObligationArg[], name: string | undefined): ObligationArg['value'] | undefined {
  return args.find(arg => arg.name?.value === name)?.value
}

function shown(value: ObligationArg['value']): string {
  return value.kind === 'word' ? value.word.value : value.kind === 'int' ? String(value.int.value) : value.duration.text
}

function list(words: readonly string[]): string {
  return `${words
    .slice(0, -1)
    .map(word => `\`${word}\``)
    .join(', ')} or \`${words.at(-1)!}\``
}
