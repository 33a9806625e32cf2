// Every code that a policy can be told, born here: its severity and what it is about. DIAGNOSTICS.md shows each wrong and right.
export type Severity = 'error' | 'warning' | 'hint'

export interface CodeEntry {
  readonly severity: Severity
  /** One line for rule lists of other tools (SARIF). */
  readonly title: string
}

const error = (title: string): CodeEntry => ({ severity: 'error', title })
const warning = (title: string): CodeEntry => ({ severity: 'warning', title })
const hint = (title: string): CodeEntry => ({ severity: 'hint', title })

export const catalogue = {
  // syntax
  syntax: error('the text is not what the grammar expects here'),
  'bad-character': error('a character that no token has'),
  'bad-string': error('a string that does not end on its line, or has a bad escape'),
  'bad-json': error('a value that is not strict JSON'),
  'unclosed-slice': error('a `{` that is never closed'),
  'empty-condition': error('a condition with nothing in it'),
  'repeated-clause': error('a clause that stands twice in a rule'),
  'bad-date': error('not a day of the calendar'),
  'bad-duration': error('not a duration'),
  'unknown-edition': error('an edition of the language that this version does not know'),
  // structure
  'duplicate-name': error('two rules of the bundle, or two lets or sets of a file, have one name'),
  'reserved-name': error('a name that the language keeps for itself'),
  'missing-who': error('an allow that does not say who'),
  'missing-target': error('a rule without a target'),
  'missing-then': error('a require without obligations'),
  'then-on-deny': error('obligations on a deny'),
  'expires-on-guard': error('an expiry on a deny or require'),
  'unknown-set': error('a reference to a set that the file does not have'),
  'nested-set': error('a set inside a set'),
  'bad-pattern': error('a target that is no pattern'),
  'not-concrete': error('a pattern where one target is needed'),
  'unknown-obligation': error('an obligation that no loaded plugin carries out'),
  'bad-obligation': error('arguments that an obligation does not take'),
  // conditions
  'cel-syntax': error('a condition that is no CEL'),
  'cel-type': error('a condition that mixes types'),
  'cel-not-boolean': error('a condition that is not true or false'),
  'cel-unknown-name': error('a name that the condition does not have'),
  'cel-unavailable': error('a variable that not all targets of the rule have'),
  'cel-forbidden': error('an operator or function outside the language'),
  'cel-budget': error('a condition that could cost too much'),
  'cel-let': error('a let that uses another, or has a name of CEL'),
  'bad-regex': error('a pattern that is not literal, or not RE2'),
  'unguarded-guard': error('an optional argument read without has() in a deny or require'),
  'unguarded-allow': warning('an optional argument read without has() in an allow'),
  'untyped-arithmetic': warning('arithmetic on a number without a schema'),
  // names
  'unknown-server': error('a server that the lock does not have'),
  'unknown-tool': error('a target that the lock does not have'),
  'unknown-role': error('a role or tenant that the lock does not have'),
  'unknown-argument': error('an argument that a tool does not have'),
  'look-alike': warning('a name that looks like another'),
  'unknown-resource': warning('a resource that nothing in the lock can be'),
  'bad-lock': error('a lock that is not as `mcpgw catalog lock` writes it'),
  'no-lock': hint('without a lock, names and types cannot be checked'),
  // logic
  'never-matches': warning('a rule that can never match'),
  'always-true': warning('a condition that is always true'),
  overridden: warning('an allow that a deny always overrides'),
  shadowed: warning('a rule that another one makes needless'),
  conflict: warning('an allow and a deny for the same calls'),
  'impossible-value': warning('a comparison that the schema rules out'),
  // patterns
  'dodgeable-test': warning('a test on text that a caller can dodge'),
  'regex-unanchored': warning('a pattern without anchors'),
  'regex-dot': warning('an unescaped dot in a host name'),
  'matches-everything': warning('a pattern that means everything'),
  // governance
  'deny-without-because': warning('a deny that gives no reason'),
  expired: warning('an allow that is no longer in force'),
  'expires-soon': warning('an allow that ends within 30 days'),
  'allow-all': warning('an allow for every tool of every server'),
  'destructive-allowed': warning('a destructive tool allowed without approval or limit'),
  // drift
  'tool-added': warning('a tool that came under an old pattern'),
  'schema-changed': warning('a tool whose definition is not the locked one'),
  // tests
  'test-failed': error('a test of the bundle that does not hold'),
  'not-covered': hint('a rule that no test reaches'),
  style: hint('a form that the formatter would change'),
} as const satisfies Readonly<Record<string, CodeEntry>>

export type DiagnosticCode = keyof typeof catalogue
