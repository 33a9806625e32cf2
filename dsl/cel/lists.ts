// List and map literals; one whose parts are all literals is made once.
import { Absent, type Cel, type Result, Uint } from './cel-value.ts'
import { literalOf } from './literal.ts'
import type { CelNode } from './node.ts'
import type { Run } from './run.ts'

type Step = (run: Run) => Result

export function compileLists(node: CelNode & { readonly op: 'list' | 'map' }, compile: (child: CelNode) => Step, failed: Absent): Step {
  if (node.op === 'map')
    return compileMap(
      node.args.map(([key, value]) => [compile(key), compile(value)] as const),
      failed,
    )
  if (node.args.every(one => one.op === 'value')) {
    const fixed: readonly Cel[] = node.args.map(one => (one.op === 'value' ? (literalOf(one) ?? null) : null))
    return () => fixed
  }
  const steps = node.args.map(compile)
  return run => {
    const values: Cel[] = []
    let absent: Absent | undefined
    for (const step of steps) {
      const value = step(run)
      if (!(value instanceof Absent)) values.push(value)
      else if (absent?.why !== 'unknown') absent = value
    }
    return absent ?? values
  }
}

function compileMap(steps: readonly (readonly [Step, Step])[], failed: Absent): Step {
  return run => {
    const made = new Map<string | bigint | boolean, Cel>()
    let absent: Absent | undefined
    for (const [keyStep, valueStep] of steps) {
      const key = keyStep(run)
      const value = valueStep(run)
      for (const one of [key, value]) if (one instanceof Absent && absent?.why !== 'unknown') absent = one
      if (key instanceof Absent || value instanceof Absent) continue
      const plain = key instanceof Uint ? key.value : key
      const bad = typeof plain !== 'string' && typeof plain !== 'bigint' && typeof plain !== 'boolean'
      // A key that stands twice is an error in CEL.
      if (bad || made.has(plain)) absent ??= failed
      else made.set(plain, value)
    }
    return absent ?? made
  }
}
