// Policies as fast-check writes them: every construct of the grammar, any white space, comments where they may stand, keywords as names.
import fc from 'fast-check'

const keywords =
  'policy edition owner let targets shadow allow deny require who except call read prompt method after within then because expires any role agent tenant in test given at from expect by with ago'.split(
    ' ',
  )
const plain = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/).filter(name => !['when', 'unless', 'as'].includes(name))
/** These stand in a policy as escapes alone. */
const MISLEADING = /[\u0085\u2028-\u202E\u2066-\u2069]/
export const text: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter(one => !MISLEADING.test(one))
  .map(one => JSON.stringify(one))
export const name: fc.Arbitrary<string> = fc.oneof(plain, fc.constantFrom(...keywords, '"when"', '"unless"', '"as"'), text)
const celName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter(one => !['when', 'unless', 'as'].includes(one))

/** A token is text; what stands between tokens is chosen last. */
type Tokens = readonly string[]
const seq = (...parts: (string | fc.Arbitrary<string | Tokens>)[]): fc.Arbitrary<Tokens> =>
  fc.tuple(...parts.map(part => (typeof part === 'string' ? fc.constant(part) : part))).map(all => all.flat())
const maybe = (...parts: (string | fc.Arbitrary<string | Tokens>)[]): fc.Arbitrary<Tokens> =>
  fc.oneof(fc.constant<Tokens>([]), seq(...parts))
const list = (one: fc.Arbitrary<string | Tokens>): fc.Arbitrary<Tokens> =>
  fc.array(one, { minLength: 1, maxLength: 4 }).map(all => all.flatMap((part, i) => (i === 0 ? [part].flat() : [',', part].flat())))

const globPart = fc.stringMatching(/^[A-Za-z0-9_.*-]{1,8}$/)
const pattern = fc.tuple(globPart, fc.oneof(globPart, text)).map(([server, tool]) => `${server}/${tool}`)
const target = fc.oneof(pattern, seq('@', name))
const duration = fc.constantFrom('90s', '15m', '1h', '1h30m', '7d', '1d2h3m4s')
const action = fc.constantFrom('call', 'read', 'prompt', 'method')
const cel = fc
  .constantFrom(
    'args.a == 1',
    '"}" in args.b',
    'r\'\\\' != "}"',
    '"""\n}"\n""" == x',
    '{"a": {"b": 1}}.a.b == 1',
    'a // }\n && b',
    'a // to the end',
    "b'''}'''.size() > 0",
    'has(args.x)',
  )
  .chain(one => fc.constantFrom('', ' ', '\n  ').map(space => `{${space}${one}${one.endsWith('end') ? '\n' : space}}`))
const json = fc
  .dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map(value => JSON.stringify(value, undefined, 1))
const jsonObject = json.filter(one => !MISLEADING.test(one))

const part = seq(fc.constantFrom('role', 'agent', 'tenant'), name)
const subject = fc.oneof(
  fc.constant<Tokens>(['any']),
  fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => parts.flatMap((one, i) => (i === 0 ? one : ['in', ...one]))),
)
const event = seq(fc.constantFrom('call', 'read', 'prompt'), target)
const argument = seq(maybe(name, ':'), fc.oneof(fc.nat({ max: 10_000 }).map(String), duration, name))
const obligation = seq(name, fc.oneof(fc.constant<Tokens>([]), fc.constant<Tokens>(['(', ')']), seq('(', list(argument), ')')))
const date = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
  .map(day => day.toISOString().slice(0, 10))

const clauses: readonly fc.Arbitrary<Tokens>[] = [
  seq('who', list(subject), maybe('except', list(subject))),
  ...['call', 'read', 'prompt', 'method'].map(word => seq(word, list(target), maybe('except', list(target)))),
  seq('when', cel),
  seq('unless', cel),
  seq('after', list(event), 'within', duration),
  seq('then', list(obligation)),
  seq('because', text),
  seq('expires', date),
]
const rule = seq(
  maybe('shadow'),
  fc.constantFrom('allow', 'deny', 'require'),
  name,
  '{',
  fc.shuffledSubarray([...clauses.keys()]).chain(chosen => seq(...chosen.map(i => clauses[i]!))),
  '}',
)
const past = seq(event, 'ago', duration)
const test = seq(
  'test',
  text,
  '{',
  'as',
  jsonObject,
  maybe('given', list(past)),
  maybe('at', text),
  maybe('from', text),
  action,
  target.filter(one => typeof one === 'string'),
  maybe(jsonObject),
  'expect',
  fc.constantFrom('allow', 'deny'),
  maybe('by', list(name)),
  maybe('with', list(name)),
  '}',
)
const item = fc.oneof(seq('let', celName, '=', cel), seq('targets', name, '=', list(target)), rule, test)

const space = fc.oneof(
  { weight: 8, arbitrary: fc.constant(' ') },
  { weight: 2, arbitrary: fc.constantFrom('\n', '\r\n', '\t', '\n\n', '  ') },
  { weight: 1, arbitrary: fc.constantFrom(' # a comment\n', '\n# "}{ own line\n', '\n\n  # when { \r\n\n') },
)

export const policyText: fc.Arbitrary<string> = seq(
  'policy',
  text,
  'edition',
  '1',
  maybe('owner', text),
  fc.array(item, { maxLength: 5 }).map(all => all.flat()),
).chain(tokens =>
  fc
    .tuple(
      fc.constantFrom('', '\uFEFF'),
      fc.constantFrom('', '\n', '# first\n'),
      fc.array(space, { minLength: tokens.length, maxLength: tokens.length }),
    )
    .map(([bom, first, spaces]) => bom + first + tokens.map((token, i) => token + spaces[i]!).join('')),
)
