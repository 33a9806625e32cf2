// The grammar, rule by rule, as the language reference has it. What it builds is only used where nothing was wrong.
import type { IToken, ParserMethod, TokenType } from 'chevrotain'
import type {
  Action,
  CelSlice,
  Clause,
  Event,
  Expectation,
  Item,
  Let,
  Numeral,
  ObligationArg,
  ObligationNode,
  Past,
  PolicyFile,
  Rule,
  Subject,
  SubjectPart,
  Target,
  TargetSet,
  Test,
  Word,
} from '../ast.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Span } from '../span.ts'
import { kit } from './kit.ts'
import { celOf, dateOf, durationOf, jsonOf, numeralOf, patternOf, spanOf, wordOf } from './nodes.ts'
import * as t from './tokens.ts'

export interface Header {
  readonly name: Word
  readonly edition: Numeral
  readonly owner?: Word
}
export interface Parsed<Node> {
  /** Absent where an error stands in it. */
  readonly node: Node | undefined
  readonly errors: readonly Mismatch[]
  /** What the grammar cannot say: clauses that stand twice, names that are none of CEL. */
  readonly diagnostics: readonly Diagnostic[]
}
export interface Mismatch {
  readonly found: IToken
  readonly previous: IToken | undefined
  /** Rules of the grammar, outermost first. */
  readonly inside: readonly string[]
  readonly expected: readonly TokenType[]
}

class PolicyParser extends kit.EmbeddedActionsParser {
  name = ''
  diagnostics: Diagnostic[] = []

  constructor(recoveryEnabled: boolean, skipValidations: boolean) {
    super([...t.tokens], { recoveryEnabled, skipValidations, maxLookahead: 2, errorMessageProvider: expectations })
    this.performSelfAnalysis()
  }

  // A token that nobody wrote has no place in a policy; one that stands in the way is part of what is wrong.
  protected override canTokenTypeBeInsertedInRecovery(): boolean {
    return false
  }
  protected override canTokenTypeBeDeletedInRecovery(): boolean {
    return false
  }

  private from(first: IToken): Span {
    return spanOf(this.name, first, this.LA(0))
  }
  private word(token: IToken): Word {
    return wordOf(this.name, token)
  }

  readonly file: ParserMethod<[], { header: Header; items: Item[] }> = this.RULE('file', (): { header: Header; items: Item[] } => {
    const header = this.SUBRULE(this.header)
    const items: Item[] = []
    this.MANY(() => void items.push(this.SUBRULE(this.item)))
    return { header, items }
  })

  readonly header: ParserMethod<[], Header> = this.RULE('header', (): Header => {
    this.CONSUME(t.Policy)
    const name = this.CONSUME1(t.Str)
    this.CONSUME(t.Edition)
    const edition = this.CONSUME(t.Int)
    const owner = this.OPTION(() => {
      this.CONSUME(t.Owner)
      return this.CONSUME2(t.Str)
    })
    return this.ACTION(() => ({
      name: this.word(name),
      edition: numeralOf(this.name, edition),
      ...(owner !== undefined && { owner: this.word(owner) }),
    }))
  })

  readonly item: ParserMethod<[], Item> = this.RULE(
    'item',
    (): Item =>
      this.OR<Item>([
        { ALT: () => this.SUBRULE(this.let) },
        { ALT: () => this.SUBRULE(this.set) },
        { ALT: () => this.SUBRULE(this.rule) },
        { ALT: () => this.SUBRULE(this.test) },
      ]),
  )

  readonly let: ParserMethod<[], Let> = this.RULE('let', (): Let => {
    const first = this.CONSUME(t.LetToken)
    const name = this.CONSUME(t.NameLike)
    this.CONSUME(t.Equals)
    const cel = this.CONSUME(t.Cel)
    return this.ACTION(() => {
      if (!/^[A-Za-z_]\w*$/.test(name.image)) this.badLetName(name)
      return { kind: 'let', name: this.word(name), cel: celOf(this.name, cel), span: this.from(first) }
    })
  })

  readonly set: ParserMethod<[], TargetSet> = this.RULE('set', (): TargetSet => {
    const first = this.CONSUME(t.Targets)
    const name = this.CONSUME(t.NameLike)
    this.CONSUME(t.Equals)
    const targets = this.SUBRULE(this.targets)
    return this.ACTION(() => ({ kind: 'targets', name: this.word(name), targets, span: this.from(first) }))
  })

  readonly rule: ParserMethod<[], Rule> = this.RULE('rule', (): Rule => {
    const shadow = this.OPTION(() => this.CONSUME(t.Shadow))
    const effect = this.OR<IToken>([
      { ALT: () => this.CONSUME(t.Allow) },
      { ALT: () => this.CONSUME(t.Deny) },
      { ALT: () => this.CONSUME(t.Require) },
    ])
    const name = this.CONSUME(t.NameLike)
    this.CONSUME(t.LeftBrace)
    const clauses: Clause[] = []
    this.MANY(() => {
      const clause = this.SUBRULE(this.clause)
      this.ACTION(() => this.add(clause, clauses))
    })
    this.CONSUME(t.RightBrace)
    return this.ACTION(() => ({
      kind: 'rule',
      effect: effect.image as Rule['effect'],
      shadow: shadow !== undefined,
      name: this.word(name),
      clauses,
      span: this.from(shadow ?? effect),
    }))
  })

  readonly clause: ParserMethod<[], Clause> = this.RULE(
    'clause',
    (): Clause =>
      this.OR<Clause>([
        { ALT: () => this.SUBRULE(this.who) },
        { ALT: () => this.SUBRULE(this.governs) },
        { ALT: () => this.SUBRULE(this.condition) },
        { ALT: () => this.SUBRULE(this.after) },
        { ALT: () => this.SUBRULE(this.obliges) },
        { ALT: () => this.SUBRULE(this.because) },
        { ALT: () => this.SUBRULE(this.expires) },
      ]),
  )

  readonly who: ParserMethod<[], Clause> = this.RULE('who', (): Clause => {
    const first = this.CONSUME(t.Who)
    const subjects = this.SUBRULE1(this.subjects)
    const except = this.OPTION(() => {
      this.CONSUME(t.Except)
      return this.SUBRULE2(this.subjects)
    })
    return this.ACTION(() => ({ kind: 'who', subjects, except: except ?? [], span: this.from(first) }))
  })

  readonly subjects: ParserMethod<[], Subject[]> = this.RULE('subjects', (): Subject[] => {
    const subjects = [this.SUBRULE1(this.subject)]
    this.MANY(() => {
      this.CONSUME(t.Comma)
      subjects.push(this.SUBRULE2(this.subject))
    })
    return subjects
  })

  readonly subject: ParserMethod<[], Subject> = this.RULE('subject', (): Subject => {
    const first = this.LA(1)
    return this.OR<Subject>([
      {
        ALT: () => {
          this.CONSUME(t.Any)
          return this.ACTION(() => ({ kind: 'any', parts: [], span: this.from(first) }))
        },
      },
      {
        ALT: () => {
          const parts = [this.SUBRULE1(this.part)]
          this.MANY(() => {
            this.CONSUME(t.In)
            parts.push(this.SUBRULE2(this.part))
          })
          return this.ACTION(() => ({ kind: 'parts', parts, span: this.from(first) }))
        },
      },
    ])
  })

  readonly part: ParserMethod<[], SubjectPart> = this.RULE('part', (): SubjectPart => {
    const kind = this.OR<IToken>([
      { ALT: () => this.CONSUME(t.Role) },
      { ALT: () => this.CONSUME(t.Agent) },
      { ALT: () => this.CONSUME(t.Tenant) },
    ])
    const name = this.CONSUME(t.NameLike)
    return this.ACTION(() => ({ kind: kind.image as SubjectPart['kind'], name: this.word(name), span: this.from(kind) }))
  })

  readonly governs: ParserMethod<[], Clause> = this.RULE('governs', (): Clause => {
    const first = this.LA(1)
    const action = this.SUBRULE(this.action)
    const targets = this.SUBRULE1(this.targets)
    const except = this.OPTION(() => {
      this.CONSUME(t.Except)
      return this.SUBRULE2(this.targets)
    })
    return this.ACTION(() => ({
      kind: 'target',
      action,
      targets,
      except: except ?? [],
      span: this.from(first),
    }))
  })

  readonly action: ParserMethod<[], Action> = this.RULE('action', (): Action => {
    const action = this.OR<IToken>([
      { ALT: () => this.CONSUME(t.Call) },
      { ALT: () => this.CONSUME(t.Read) },
      { ALT: () => this.CONSUME(t.Prompt) },
      { ALT: () => this.CONSUME(t.Method) },
    ])
    return this.ACTION(() => action.image as Action)
  })

  readonly targets: ParserMethod<[], Target[]> = this.RULE('targets', (): Target[] => {
    const targets = [this.SUBRULE1(this.target)]
    this.MANY(() => {
      this.CONSUME(t.Comma)
      targets.push(this.SUBRULE2(this.target))
    })
    return targets
  })

  readonly target: ParserMethod<[], Target> = this.RULE(
    'target',
    (): Target =>
      this.OR<Target>([
        {
          ALT: () => {
            const pattern = this.CONSUME(t.Target)
            return this.ACTION(() => patternOf(this.name, pattern))
          },
        },
        {
          ALT: () => {
            const first = this.CONSUME(t.AtSign)
            const name = this.CONSUME(t.NameLike)
            return this.ACTION(() => ({ kind: 'reference', set: this.word(name), span: this.from(first) }))
          },
        },
      ]),
  )

  readonly condition: ParserMethod<[], Clause> = this.RULE('condition', (): Clause => {
    const kind = this.OR<IToken>([{ ALT: () => this.CONSUME(t.When) }, { ALT: () => this.CONSUME(t.Unless) }])
    const cel = this.CONSUME(t.Cel)
    return this.ACTION(() => ({
      kind: kind.image as 'when' | 'unless',
      cel: celOf(this.name, cel) satisfies CelSlice,
      span: this.from(kind),
    }))
  })

  readonly after: ParserMethod<[], Clause> = this.RULE('after', (): Clause => {
    const first = this.CONSUME(t.After)
    const events = [this.SUBRULE1(this.event)]
    this.MANY(() => {
      this.CONSUME(t.Comma)
      events.push(this.SUBRULE2(this.event))
    })
    this.CONSUME(t.Within)
    const within = this.CONSUME(t.DurationToken)
    return this.ACTION(() => ({ kind: 'after', events, within: durationOf(this.name, within), span: this.from(first) }))
  })

  readonly event: ParserMethod<[], Event> = this.RULE('event', (): Event => {
    const action = this.OR<IToken>([
      { ALT: () => this.CONSUME(t.Call) },
      { ALT: () => this.CONSUME(t.Read) },
      { ALT: () => this.CONSUME(t.Prompt) },
    ])
    const target = this.SUBRULE(this.target)
    return this.ACTION(() => ({ action: action.image as Event['action'], target, span: this.from(action) }))
  })

  readonly obliges: ParserMethod<[], Clause> = this.RULE('obliges', (): Clause => {
    const first = this.CONSUME(t.Then)
    const obligations = [this.SUBRULE1(this.obligation)]
    this.MANY(() => {
      this.CONSUME(t.Comma)
      obligations.push(this.SUBRULE2(this.obligation))
    })
    return this.ACTION(() => ({ kind: 'then', obligations, span: this.from(first) }))
  })

  readonly obligation: ParserMethod<[], ObligationNode> = this.RULE('obligation', (): ObligationNode => {
    const name = this.CONSUME(t.NameLike)
    const args: ObligationArg[] = []
    this.OPTION1(() => {
      this.CONSUME(t.LeftParen)
      this.OPTION2(() => {
        args.push(this.SUBRULE1(this.arg))
        this.MANY(() => {
          this.CONSUME(t.Comma)
          args.push(this.SUBRULE2(this.arg))
        })
      })
      this.CONSUME(t.RightParen)
    })
    return this.ACTION(() => ({ name: this.word(name), args, span: this.from(name) }))
  })

  readonly arg: ParserMethod<[], ObligationArg> = this.RULE('arg', (): ObligationArg => {
    const first = this.LA(1)
    const name = this.OPTION(() => {
      const found = this.CONSUME1(t.NameLike)
      this.CONSUME(t.Colon)
      return found
    })
    const value = this.OR<ObligationArg['value']>([
      {
        ALT: () => {
          const int = this.CONSUME(t.Int)
          return this.ACTION(() => ({ kind: 'int', int: numeralOf(this.name, int) }))
        },
      },
      {
        ALT: () => {
          const duration = this.CONSUME(t.DurationToken)
          return this.ACTION(() => ({ kind: 'duration', duration: durationOf(this.name, duration) }))
        },
      },
      {
        ALT: () => {
          const word = this.CONSUME2(t.NameLike)
          return this.ACTION(() => ({ kind: 'word', word: this.word(word) }))
        },
      },
    ])
    return this.ACTION(() => ({ ...(name !== undefined && { name: this.word(name) }), value, span: this.from(first) }))
  })

  readonly because: ParserMethod<[], Clause> = this.RULE('because', (): Clause => {
    const first = this.CONSUME(t.Because)
    const text = this.CONSUME(t.Str)
    return this.ACTION(() => ({ kind: 'because', text: this.word(text), span: this.from(first) }))
  })

  readonly expires: ParserMethod<[], Clause> = this.RULE('expires', (): Clause => {
    const first = this.CONSUME(t.Expires)
    const date = this.CONSUME(t.DateToken)
    return this.ACTION(() => ({ kind: 'expires', date: dateOf(this.name, date), span: this.from(first) }))
  })

  readonly test: ParserMethod<[], Test> = this.RULE('test', (): Test => {
    const first = this.CONSUME(t.TestToken)
    const name = this.CONSUME1(t.Str)
    this.CONSUME(t.LeftBrace)
    this.CONSUME(t.As)
    const as = this.CONSUME1(t.JsonToken)
    const given: Past[] = []
    this.OPTION1(() => {
      this.CONSUME(t.Given)
      given.push(this.SUBRULE1(this.past))
      this.MANY(() => {
        this.CONSUME(t.Comma)
        given.push(this.SUBRULE2(this.past))
      })
    })
    const at = this.OPTION2(() => {
      this.CONSUME(t.At)
      return this.CONSUME2(t.Str)
    })
    const from = this.OPTION3(() => {
      this.CONSUME(t.From)
      return this.CONSUME3(t.Str)
    })
    const action = this.SUBRULE(this.action)
    const target = this.SUBRULE(this.target)
    const args = this.OPTION4(() => this.CONSUME2(t.JsonToken))
    const expect = this.SUBRULE(this.expect)
    this.CONSUME(t.RightBrace)
    return this.ACTION(() => ({
      kind: 'test',
      name: this.word(name),
      as: jsonOf(this.name, as),
      given,
      ...(at !== undefined && { at: this.word(at) }),
      ...(from !== undefined && { from: this.word(from) }),
      action,
      target,
      ...(args !== undefined && { args: jsonOf(this.name, args) }),
      expect,
      span: this.from(first),
    }))
  })

  readonly past: ParserMethod<[], Past> = this.RULE('past', (): Past => {
    const first = this.LA(1)
    const event = this.SUBRULE(this.event)
    this.CONSUME(t.Ago)
    const ago = this.CONSUME(t.DurationToken)
    return this.ACTION(() => ({ event, ago: durationOf(this.name, ago), span: this.from(first) }))
  })

  readonly expect: ParserMethod<[], Expectation> = this.RULE('expect', (): Expectation => {
    const first = this.CONSUME(t.Expect)
    const outcome = this.OR<IToken>([{ ALT: () => this.CONSUME(t.Allow) }, { ALT: () => this.CONSUME(t.Deny) }])
    const by = this.OPTION1(() => {
      this.CONSUME(t.By)
      return this.SUBRULE1(this.names)
    })
    const duties = this.OPTION2(() => {
      this.CONSUME(t.With)
      return this.SUBRULE2(this.names)
    })
    return this.ACTION(() => ({
      outcome: outcome.image as Expectation['outcome'],
      by: by ?? [],
      with: duties ?? [],
      span: this.from(first),
    }))
  })

  readonly names: ParserMethod<[], Word[]> = this.RULE('names', (): Word[] => {
    const names = [this.CONSUME1(t.NameLike)]
    this.MANY(() => {
      this.CONSUME(t.Comma)
      names.push(this.CONSUME2(t.NameLike))
    })
    return this.ACTION(() => names.map(name => this.word(name)))
  })

  private add(clause: Clause | undefined, clauses: Clause[]): void {
    if (clause === undefined) return
    const key = (one: Clause): string => (one.kind === 'target' ? one.action : one.kind)
    const first = clauses.find(one => key(one) === key(clause))
    if (first === undefined) return void clauses.push(clause)
    const word = key(clause)
    const help = repeatHelp.get(word)
    this.diagnostics.push({
      code: 'repeated-clause',
      severity: 'error',
      message: `expected \`${word}\` once in a rule, found it again`,
      span: { ...clause.span, end: clause.span.start + word.length },
      labels: [{ span: { ...first.span, end: first.span.start + word.length }, text: `\`${word}\` stands here first` }],
      ...(help !== undefined && { help }),
    })
  }

  private badLetName(name: IToken): void {
    this.diagnostics.push({
      code: 'syntax',
      severity: 'error',
      message: `expected a name of letters, digits and \`_\`, found \`${name.image}\``,
      span: spanOf(this.name, name),
      help: 'a let is used inside conditions, where `-` and `.` mean something else',
    })
  }
}

const repeatHelp: ReadonlyMap<string, string> = new Map([
  ['who', 'put all subjects into one `who`, with commas between them'],
  ['call', 'put all targets into one `call`, with commas between them'],
  ['read', 'put all targets into one `read`, with commas between them'],
  ['prompt', 'put all targets into one `prompt`, with commas between them'],
  ['method', 'put all targets into one `method`, with commas between them'],
  ['when', 'join both conditions with `&&`'],
  ['unless', 'join both conditions with `||`'],
  ['then', 'put all obligations into one `then`, with commas between them'],
])

// Expectations travel from the kit to us in the only place it has for them, the message.
const places = new Map<TokenType, string>(t.tokens.map((type, i) => [type, String(i)]))
const name = (types: readonly TokenType[]): string => types.map(type => places.get(type) ?? '').join(' ')
const expectations = {
  buildMismatchTokenMessage: ({ expected }: { expected: TokenType }) => name([expected]),
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: ({ expectedPathsPerAlt }: { expectedPathsPerAlt: TokenType[][][] }) =>
    name([...new Set(expectedPathsPerAlt.flat().flatMap(path => path.slice(0, 1)))]),
  buildEarlyExitMessage: ({ expectedIterationPaths }: { expectedIterationPaths: TokenType[][] }) =>
    name([...new Set(expectedIterationPaths.flatMap(path => path.slice(0, 1)))]),
}

const made = new Map<boolean, PolicyParser>()
function parserOf(recovering: boolean): PolicyParser {
  const known = made.get(recovering) ?? new PolicyParser(recovering, true)
  made.set(recovering, known)
  return known
}

/** For tests: throws where the grammar is ambiguous or left-recursive. */
export function validateGrammar(): void {
  new PolicyParser(true, false)
}

function run<Node>(parser: PolicyParser, file: string, tokens: readonly IToken[], rule: ParserMethod<[], Node>): Parsed<Node> {
  parser.input = tokens as IToken[]
  parser.name = file
  parser.diagnostics = []
  const node = rule.call(parser)
  const errors = parser.errors.map(error => ({
    found: error.token,
    // Behind recovery the kit's own idea of it is a later one.
    previous: tokens[(tokens.includes(error.token) ? tokens.indexOf(error.token) : tokens.length) - 1],
    inside: error.context.ruleStack,
    expected: error.message === '' ? [] : error.message.split(' ').map(place => t.tokens[Number(place)]!),
  }))
  return { node: errors.length === 0 ? node : undefined, errors, diagnostics: parser.diagnostics }
}

/** A whole file in one go; where something is wrong, it only says so. */
export function parseFile(file: string, tokens: readonly IToken[]): Parsed<Pick<PolicyFile, 'name' | 'edition' | 'owner' | 'items'>> {
  const parser = parserOf(false)
  const { node, ...rest } = run(parser, file, tokens, parser.file)
  return { node: node && { ...node.header, items: node.items }, ...rest }
}

/** A part of a file, going on behind what is wrong as well as it can. */
export function parseHeader(file: string, tokens: readonly IToken[]): Parsed<Header> {
  const parser = parserOf(true)
  return run(parser, file, tokens, parser.header)
}
export function parseItem(file: string, tokens: readonly IToken[]): Parsed<Item> {
  const parser = parserOf(true)
  return run(parser, file, tokens, parser.item)
}
