// The calls of `mcpgw demo`, and what is to become of each: something allowed, masked, denied, failed by the tool, and limited.

export interface Step {
  readonly what: 'allow' | 'redact' | 'deny' | 'tool error' | 'limit'
  readonly says: string
  readonly server: string
  readonly tool: string
  readonly args: Readonly<Record<string, string>>
  /** Status in the record, and the rule that decides. */
  readonly status: string
  readonly rule: string
}

export const steps: readonly Step[] = [
  {
    what: 'allow',
    says: 'a rule allows it, and the answer comes back as it is',
    server: 'notes',
    tool: 'search_notes',
    args: { query: 'release' },
    status: 'answered',
    rule: 'use-notes',
  },
  {
    what: 'redact',
    says: 'allowed too, but what is personal in the answer is masked on its way',
    server: 'desk',
    tool: 'get_customer',
    args: { id: 'C-1001' },
    status: 'answered',
    rule: 'look-up-customers',
  },
  {
    what: 'deny',
    says: 'a rule denies it: the server never hears of it, and the agent is told why',
    server: 'notes',
    tool: 'delete_note',
    args: { uri: 'note://welcome' },
    status: 'refused',
    rule: 'keep-our-notes',
  },
  {
    what: 'tool error',
    says: 'allowed, and the tool itself has no answer; that too is on record',
    server: 'desk',
    tool: 'get_customer',
    args: { id: 'C-9999' },
    status: 'tool-error',
    rule: 'look-up-customers',
  },
  {
    what: 'limit',
    says: 'the third customer within a minute is one too many',
    server: 'desk',
    tool: 'get_customer',
    args: { id: 'C-1002' },
    status: 'refused',
    rule: 'look-up-customers',
  },
]
