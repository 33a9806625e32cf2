// What type each part of a condition has, and every mistake in it that no value could mend.
import { bool, type CelType, comparable, describe, dyn, elementOf, join, list, map, mayBe, members, string } from './cel-type.ts'
import { type Cel, kindOf, maxInt } from './cel-value.ts'
import { namedTypes } from './conversions.ts'
import { fieldType } from './fields.ts'
import { functionHelp, functionsOf } from './function-help.ts'
import { type Call, callOf, functionNames, namespaces, operatorOverloads } from './functions.ts'
import { chosen, operatorType, type Report } from './infer-operators.ts'
import { literalOf } from './literal.ts'
import { constantHelp } from './mistakes.ts'
import { nearest } from './nearest.ts'
import type { CelNode } from './node.ts'
import { compilePattern, type Pattern } from './regex.ts'

export class Inference {
  readonly variables: ReadonlyMap<string, CelType>
  readonly taken: ReadonlySet<string>
  readonly report: Report
  readonly patterns: Map<CelNode, Pattern> = new Map()
  readonly types: Map<CelNode, CelType> = new Map()
  readonly reads: Set<string> = new Set()

  /** `taken`: names that no comprehension may use for its variable. `missing` says what is wrong with a name that is no variable. */
  constructor(variables: ReadonlyMap<string, CelType>, taken: ReadonlySet<string>, report: Report) {
    this.variables = variables
    this.taken = taken
    this.report = report
  }

  of(node: CelNode, locals: ReadonlyMap<string, CelType>): CelType {
    const type = this.infer(node, locals)
    this.types.set(node, type)
    return type
  }

  private infer(node: CelNode, locals: ReadonlyMap<string, CelType>): CelType {
    switch (node.op) {
      case 'value':
        return this.literal(node)
      case 'id':
        return this.name(node, node.args, locals)
      case '.':
        return this.field(node, node.args[1], this.of(node.args[0], locals), false)
      case '[]':
        return this.index(node, locals)
      case 'list':
        return list(join(node.args.map(one => this.of(one, locals))))
      case 'map':
        return this.map(node, locals)
      case '?:':
        return this.choice(node, locals)
      case '&&':
      case '||':
        for (const side of node.args) this.needBool(side, this.of(side, locals), `an operand of \`${node.op}\``)
        return bool
      case '!_':
        this.needBool(node.args, this.of(node.args, locals), 'the operand of `!`')
        return bool
      case '-_':
        return this.minus(node, locals)
      case 'call':
      case 'rcall':
        return this.call(node, callOf(node), locals)
      case '.?':
      case '[?]':
        this.report('cel-forbidden', node, `\`${node.op}\` is no operator of the language`)
        return dyn
      default:
        return operatorType(node, this.of(node.args[0], locals), this.of(node.args[1], locals), this.report)
    }
  }

  private literal(node: CelNode & { readonly op: 'value' }): CelType {
    const value = literalOf(node)
    if (value === undefined) {
      this.report('cel-forbidden', node, 'bytes are no values of the language', 'write a string')
      return dyn
    }
    if (typeof value === 'bigint' && value > maxInt) this.report('cel-syntax', node, `\`${value}\` is beyond a 64-bit integer`)
    return typeOfValue(value)
  }

  private name(node: CelNode, name: string, locals: ReadonlyMap<string, CelType>): CelType {
    const local = locals.get(name)
    if (local !== undefined) return local
    const variable = this.variables.get(name)
    if (variable !== undefined) {
      this.reads.add(name)
      return variable
    }
    if (namedTypes.has(name)) return { kind: 'type' }
    if (namespaces.has(name)) {
      this.report('cel-unknown-name', node, `\`${name}\` is no value`, `call one of its functions: ${functionsOf(name)}`)
      return dyn
    }
    const meant = nearest(name, [...locals.keys(), ...this.taken])
    this.report(
      'cel-unknown-name',
      node,
      `\`${name}\` is no variable here`,
      meant === undefined
        ? (constantHelp(name) ??
            `there are ${[...this.variables.keys()].map(one => `\`${one}\``).join(', ')}; text stands in quotes, an argument is \`args.${name}\``)
        : `did you mean \`${meant}\``,
    )
    return dyn
  }

  field(node: CelNode, name: string, operand: CelType, asked: boolean): CelType {
    return fieldType(node, name, operand, asked, this.report)
  }

  private index(node: CelNode & { readonly op: '[]' }, locals: ReadonlyMap<string, CelType>): CelType {
    const operand = this.of(node.args[0], locals)
    const index = this.of(node.args[1], locals)
    if (node.args[1].op === 'value' && typeof node.args[1].args === 'string' && !mayBe(operand, 'list')) {
      return this.field(node, node.args[1].args, operand, false)
    }
    const values = members(operand).flatMap(one => {
      if (one.kind === 'dyn') return [dyn]
      if (one.kind === 'list') return mayBe(index, 'int') || mayBe(index, 'uint') || mayBe(index, 'double') ? [one.of] : []
      if (one.kind === 'map') return comparable(index, one.key) ? [one.value] : []
      return one.kind === 'object' && mayBe(index, 'string') ? [dyn] : []
    })
    if (values.length > 0) return join(values)
    this.report('cel-type', node, `${describe(operand)} cannot be indexed with ${describe(index)}`)
    return dyn
  }

  private map(node: CelNode & { readonly op: 'map' }, locals: ReadonlyMap<string, CelType>): CelType {
    const keys = node.args.map(([key]) => ({ key, type: this.of(key, locals) }))
    for (const { key, type } of keys) {
      if (!['string', 'int', 'uint', 'bool'].some(kind => mayBe(type, kind as 'string'))) {
        this.report('cel-type', key, `a key of a map is string, int or bool, found ${describe(type)}`)
      }
    }
    return map(join(keys.map(one => one.type)), join(node.args.map(([, value]) => this.of(value, locals))))
  }

  private choice(node: CelNode & { readonly op: '?:' }, locals: ReadonlyMap<string, CelType>): CelType {
    const [condition, yes, no] = node.args
    this.needBool(condition, this.of(condition, locals), 'what stands before `?`')
    const [left, right] = [this.of(yes, locals), this.of(no, locals)]
    if (!comparable(left, right)) this.report('cel-type', node, `the two sides of \`?:\` are ${describe(left)} and ${describe(right)}`)
    return join([left, right])
  }

  private minus(node: CelNode & { readonly op: '-_' }, locals: ReadonlyMap<string, CelType>): CelType {
    // Invariant: -9223372036854775808 is the one integer whose literal is beyond the range without its sign.
    if (node.args.op === 'value' && node.args.args === maxInt + 1n) return { kind: 'int' }
    const operand = this.of(node.args, locals)
    return chosen(node, '-', [operand], operatorOverloads('-_', 1), this.report)
  }

  needBool(node: CelNode, type: CelType, what: string): void {
    if (!mayBe(type, 'bool')) this.report('cel-type', node, `${what} must be bool, found ${describe(type)}`, boolHelp(node, type))
  }

  private call(node: CelNode, call: Call, locals: ReadonlyMap<string, CelType>): CelType {
    switch (call.kind) {
      case 'has': {
        if (call.field.op !== '.') {
          this.report(
            'cel-type',
            node,
            '`has()` asks for a field, as in `has(args.x)`',
            call.field.op === 'id' && !this.variables.has(call.field.args)
              ? `write \`has(args.${call.field.args})\``
              : 'write `"a-b" in args` for a name that is no identifier',
          )
          return bool
        }
        this.field(call.field, call.field.args[1], this.of(call.field.args[0], locals), true)
        return bool
      }
      case 'matches':
        return this.matches(call.text, call.pattern, locals)
      case 'comprehension':
        return this.comprehension(node, call, locals)
      default: {
        const types = call.args.map(one => this.of(one, locals))
        if (call.overloads.length > 0) return chosen(node, call.name, types, call.overloads, this.report)
        this.unknownFunction(node, call.name)
        return dyn
      }
    }
  }

  private unknownFunction(node: CelNode, name: string): void {
    if (functionNames.has(name)) {
      const form =
        name === 'has'
          ? '`has(args.x)`'
          : ['all', 'exists', 'exists_one', 'map', 'filter'].includes(name)
            ? `\`args.items.${name}(x, x != "")\``
            : undefined
      return this.report('cel-type', node, `\`${name}\` is not called like this`, form && `write ${form}`)
    }
    this.report('cel-forbidden', node, `\`${name}\` is no function of the language`, functionHelp(name))
  }

  private matches(text: CelNode, pattern: CelNode, locals: ReadonlyMap<string, CelType>): CelType {
    const type = this.of(text, locals)
    if (!mayBe(type, 'string')) this.report('cel-type', text, `\`matches\` is for text, found ${describe(type)}`)
    this.types.set(pattern, string)
    if (pattern.op !== 'value' || typeof pattern.args !== 'string') {
      this.report(
        'bad-regex',
        pattern,
        'the pattern of `matches` must stand here as a string',
        'a pattern from a variable could be anything',
      )
      return bool
    }
    const compiled = compilePattern(pattern.args)
    if ('problem' in compiled) this.report('bad-regex', pattern, compiled.problem, 'patterns are RE2: no look-around, no back-references')
    else this.patterns.set(pattern, compiled.test)
    return bool
  }

  private comprehension(node: CelNode, call: Call & { readonly kind: 'comprehension' }, locals: ReadonlyMap<string, CelType>): CelType {
    const range = this.of(call.range, locals)
    const element = elementOf(range)
    if (element === undefined) this.report('cel-type', call.range, `\`${call.macro}\` walks over a list or map, found ${describe(range)}`)
    if (this.taken.has(call.variable) || locals.has(call.variable) || namespaces.has(call.variable) || namedTypes.has(call.variable)) {
      this.report(
        'cel-forbidden',
        node,
        `\`${call.variable}\` means something else here`,
        `name the variable of \`${call.macro}\` otherwise`,
      )
    }
    const inner = new Map(locals).set(call.variable, element ?? dyn)
    const types = call.body.map(one => this.of(one, inner))
    if (call.macro === 'map') {
      if (types.length === 2) this.needBool(call.body[0]!, types[0]!, 'the filter of `map`')
      return list(types.at(-1)!)
    }
    this.needBool(call.body[0]!, types[0]!, `the test of \`${call.macro}\``)
    return call.macro === 'filter' ? list(element ?? dyn) : bool
  }
}

const typeOfValue = (value: Cel): CelType => ({ kind: kindOf(value) as 'string' })

const boolHelp = (node: CelNode, type: CelType): string | undefined =>
  type.kind !== 'dyn' && (node.op === '.' || node.op === 'id') ? 'compare it with something, or ask `has()` for it' : undefined
