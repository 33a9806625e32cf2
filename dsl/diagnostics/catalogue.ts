// Every code that a policy can be told, born here: its severity and what it is about. DIAGNOSTICS.md shows each wrong and right.
export type Severity = 'error' | 'warning' | 'hint'

export interface CodeEntry {
  readonly severity: Severity
  /** One line for rule lists of other tools (SARIF). */
  readonly title: string
}

export const catalogue = {
  // syntax
  syntax: { severity: 'error', title: 'the text is not what the grammar expects here' },
  'bad-character': { severity: 'error', title: 'a character that no token has' },
  'bad-string': { severity: 'error', title: 'a string that does not end on its line, or has a bad escape' },
  'bad-json': { severity: 'error', title: 'a value that is not strict JSON' },
  'unclosed-slice': { severity: 'error', title: 'a `{` that is never closed' },
  'empty-condition': { severity: 'error', title: 'a condition with nothing in it' },
  'repeated-clause': { severity: 'error', title: 'a clause that stands twice in a rule' },
  'bad-date': { severity: 'error', title: 'not a day of the calendar' },
  'bad-duration': { severity: 'error', title: 'not a duration' },
  'unknown-edition': { severity: 'error', title: 'an edition of the language that this version does not know' },
  // structure
  'duplicate-name': { severity: 'error', title: 'two rules of the bundle, or two lets or sets of a file, have one name' },
  'reserved-name': { severity: 'error', title: 'a name that the language keeps for itself' },
  'missing-who': { severity: 'error', title: 'an allow that does not say who' },
  'missing-target': { severity: 'error', title: 'a rule without a target' },
  'missing-then': { severity: 'error', title: 'a require without obligations' },
  'then-on-deny': { severity: 'error', title: 'obligations on a deny' },
  'expires-on-guard': { severity: 'error', title: 'an expiry on a deny or require' },
  'unknown-set': { severity: 'error', title: 'a reference to a set that the file does not have' },
  'nested-set': { severity: 'error', title: 'a set inside a set' },
  'bad-pattern': { severity: 'error', title: 'a target that is no pattern' },
  'not-concrete': { severity: 'error', title: 'a pattern where one target is needed' },
  'unknown-obligation': { severity: 'error', title: 'an obligation that no loaded plugin carries out' },
  'bad-obligation': { severity: 'error', title: 'arguments that an obligation does not take' },
  // conditions
  'cel-syntax': { severity: 'error', title: 'a condition that is no CEL' },
  'cel-type': { severity: 'error', title: 'a condition that mixes types' },
  'cel-not-boolean': { severity: 'error', title: 'a condition that is not true or false' },
  'cel-unknown-name': { severity: 'error', title: 'a name that the condition does not have' },
  'cel-unavailable': { severity: 'error', title: 'a variable that not all targets of the rule have' },
  'cel-forbidden': { severity: 'error', title: 'an operator or function outside the language' },
  'cel-budget': { severity: 'error', title: 'a condition that could cost too much' },
  'cel-let': { severity: 'error', title: 'a let that uses another, or has a name of CEL' },
  'bad-regex': { severity: 'error', title: 'a pattern that is not literal, or not RE2' },
  'unguarded-guard': { severity: 'error', title: 'an optional argument read without has() in a deny or require' },
  'unguarded-allow': { severity: 'warning', title: 'an optional argument read without has() in an allow' },
  'untyped-arithmetic': { severity: 'warning', title: 'arithmetic on a number without a schema' },
  // names
  'unknown-server': { severity: 'error', title: 'a server that the lock does not have' },
  'unknown-tool': { severity: 'error', title: 'a target that the lock does not have' },
  'unknown-role': { severity: 'error', title: 'a role or tenant that the lock does not have' },
  'unknown-argument': { severity: 'error', title: 'an argument that a tool does not have' },
  'look-alike': { severity: 'warning', title: 'a name that looks like another' },
  'unknown-resource': { severity: 'warning', title: 'a resource that nothing in the lock can be' },
  'bad-lock': { severity: 'error', title: 'a lock that is not as `mcpgw catalog lock` writes it' },
  'no-lock': { severity: 'hint', title: 'without a lock, names and types cannot be checked' },
  // logic
  'never-matches': { severity: 'warning', title: 'a rule that can never match' },
  'always-true': { severity: 'warning', title: 'a condition that is always true' },
  overridden: { severity: 'warning', title: 'an allow that a deny always overrides' },
  shadowed: { severity: 'warning', title: 'a rule that another one makes needless' },
  conflict: { severity: 'warning', title: 'an allow and a deny for the same calls' },
  'impossible-value': { severity: 'warning', title: 'a comparison that the schema rules out' },
  // patterns
  'dodgeable-test': { severity: 'warning', title: 'a test on text that a caller can dodge' },
  'regex-unanchored': { severity: 'warning', title: 'a pattern without anchors' },
  'regex-dot': { severity: 'warning', title: 'an unescaped dot in a host name' },
  'beyond-slash': { severity: 'warning', title: 'a pattern that does not reach names with a slash' },
  'idle-except': { severity: 'warning', title: 'an except that takes nothing out' },
  'matches-everything': { severity: 'warning', title: 'a pattern that means everything' },
  // governance
  'deny-without-because': { severity: 'warning', title: 'a deny that gives no reason' },
  expired: { severity: 'warning', title: 'an allow that is no longer in force' },
  'expires-soon': { severity: 'warning', title: 'an allow that ends within 30 days' },
  'allow-all': { severity: 'warning', title: 'an allow for every tool of every server' },
  'destructive-allowed': { severity: 'warning', title: 'a destructive tool allowed without approval or limit' },
  // drift
  'tool-added': { severity: 'warning', title: 'a tool that came under an old pattern' },
  'schema-changed': { severity: 'warning', title: 'a tool whose definition is not the locked one' },
  'server-unreached': { severity: 'error', title: 'a server that was asked and did not say what it offers' },
  // tests
  'test-failed': { severity: 'error', title: 'a test of the bundle that does not hold' },
  'test-unknown-name': { severity: 'warning', title: 'a test about something that the lock does not have' },
  'test-bad-argument': { severity: 'warning', title: 'a test with arguments that the tool refuses' },
  'not-covered': { severity: 'hint', title: 'a rule that no test reaches' },
  style: { severity: 'hint', title: 'a form that the formatter would change' },
} as const

export type DiagnosticCode = keyof typeof catalogue
