// From the text of a `when`, `unless` or `let` to a condition that may be evaluated, or everything that is wrong with it.
import type { CelSlice, Word } from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../span.ts'
import { type CelType, describe, dyn, mayBe } from './cel-type.ts'
import { Absent, type Result } from './cel-value.ts'
import type { Bindings, Condition, PartialTruth, Truth } from './condition.ts'
import { namedTypes } from './conversions.ts'
import { affordable, assumedLength, comprehensionDepth, deepest, worstSteps } from './cost.ts'
import { functionNames, namespaces } from './functions.ts'
import { Inference } from './infer.ts'
import { inlineLets } from './lets.ts'
import type { CelNode } from './node.ts'
import { finding, parseSlice, within } from './parse.ts'
import { compileNode, type Step } from './program.ts'
import { Run, stepBudget } from './run.ts'
import { languageVariables } from './variables.ts'

export interface CelScope {
  readonly lets: ReadonlyMap<string, CelSlice>
  /** Names that the rule has, of `args`, `principal`, `tool`, `resource`, `request`, `session`. */
  readonly variables: ReadonlySet<string>
}
export interface Compiled {
  readonly condition?: Condition
  readonly diagnostics: readonly Diagnostic[]
}

export function compileCondition(slice: CelSlice, scope: CelScope): Compiled {
  const inlined = inlineLets(slice, scope.lets)
  if ('code' in inlined) return { diagnostics: [inlined] }
  const { ast, origins } = inlined
  const spanOf = (node: CelNode): Span => within(origins.get(node) ?? slice, node.start, node.end)
  const diagnostics = [...inlined.diagnostics, ...budgetFindings(ast, slice.span)]
  const inference = infer(ast, scope, spanOf, diagnostics, 'condition')
  if (diagnostics.length > 0) return { diagnostics }
  const slots = { count: 0 }
  const step = compileNode(ast, { patterns: inference.patterns, locals: new Map(), slots })
  return { condition: makeCondition(slice, ast, spanOf, inference.reads, step, slots.count), diagnostics }
}

/** What is wrong with a let itself, whether or not a rule uses it. */
export function checkLet(name: Word, slice: CelSlice, scope: CelScope): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const taken = [languageVariables, namespaces, namedTypes, functionNames].some(names => names.has(name.value))
  if (taken)
    diagnostics.push(finding('cel-let', name.span, `\`${name.value}\` already means something in a condition`, 'choose another name'))
  else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name.value) || words.has(name.value)) {
    diagnostics.push(
      finding('cel-let', name.span, `\`${name.value}\` cannot be a name in a condition`, 'letters, digits and `_`, and no word of CEL'),
    )
  }
  const ast = parseSlice(slice)
  if ('code' in ast) return [...diagnostics, ast]
  diagnostics.push(...budgetFindings(ast, slice.span))
  infer(ast, scope, node => within(slice, node.start, node.end), diagnostics, 'let')
  return diagnostics
}

const words: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while __proto__ prototype'.split(
    ' ',
  ),
)

function infer(ast: CelNode, scope: CelScope, spanOf: (node: CelNode) => Span, into: Diagnostic[], what: 'condition' | 'let'): Inference {
  const variables = new Map<string, CelType>()
  for (const name of scope.variables) variables.set(name, languageVariables.get(name) ?? dyn)
  // A let that could not be inlined has been told already.
  if (what === 'condition') for (const name of scope.lets.keys()) variables.set(name, dyn)
  const taken = new Set([...languageVariables.keys(), ...scope.variables, ...scope.lets.keys()])
  const inference = new Inference(variables, taken, (code, node, message, help) => {
    if (code === 'cel-unknown-name' && node.op === 'id' && what === 'let' && scope.lets.has(node.args)) {
      into.push(finding('cel-let', spanOf(node), `\`${node.args}\` is a let, and a let uses no other`, 'write its condition out here'))
    } else if (code === 'cel-unknown-name' && node.op === 'id' && languageVariables.has(node.args)) {
      const targets = unavailable[node.args] ?? 'other targets'
      into.push(
        finding(
          'cel-unavailable',
          spanOf(node),
          `\`${node.args}\` is not there for every target of this rule`,
          `it is there for ${targets}`,
        ),
      )
    } else into.push(finding(code, spanOf(node), message, help))
  })
  const type = inference.of(ast, new Map())
  if (what === 'condition' && !mayBe(type, 'bool')) {
    into.push(
      finding('cel-not-boolean', spanOf(ast), `a condition must be true or false, found ${describe(type)}`, 'compare it with something'),
    )
  }
  return inference
}

const unavailable: Readonly<Record<string, string>> = {
  args: '`call` and `prompt`',
  tool: '`call`',
  resource: '`read`',
  session: 'clients with sessions',
}

function budgetFindings(ast: CelNode, span: Span): readonly Diagnostic[] {
  const depth = comprehensionDepth(ast)
  if (depth > deepest) return [finding('cel-budget', span, `comprehensions ${depth} deep; at most ${deepest} are allowed`)]
  const steps = worstSteps(ast)
  if (affordable(steps)) return []
  return [
    finding(
      'cel-budget',
      span,
      `up to ${steps} steps, for lists of ${assumedLength} values; at most ${stepBudget} are allowed`,
      'walk over one list at a time',
    ),
  ]
}

function makeCondition(
  slice: CelSlice,
  ast: CelNode,
  spanOf: (node: CelNode) => Span,
  reads: ReadonlySet<string>,
  step: Step,
  slots: number,
): Condition {
  const run = (bindings: Bindings, unknown: ReadonlySet<string> | undefined): PartialTruth => {
    const one = new Run(bindings, unknown, slots)
    let result: Result
    try {
      result = step(one)
    } catch {
      // Whatever was thrown, a stack that overflowed included, is an error of the condition.
      return { error: 'cel-error' }
    }
    if (one.steps < 0) return { error: 'over-budget' }
    if (typeof result === 'boolean') return result
    if (!(result instanceof Absent)) return { error: 'not-boolean' }
    return result.why === 'unknown' ? 'unknown' : { error: result.why }
  }
  return {
    span: slice.span,
    ast,
    spanOf,
    reads,
    evaluate: bindings => run(bindings, undefined) as Truth,
    evaluatePartly: run,
  }
}
