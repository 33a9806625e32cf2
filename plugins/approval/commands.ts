// The verbs of approval on the command line; each is loaded when it is called.
import type { ConfiguredCommand } from 'mcpgw/plugin'
import type { ApprovalConfig } from './config.ts'

const id = { name: '<id>', summary: 'its id as `approvals list` shows it' }
const because = { flags: '--because <text>', summary: 'why, for the record and for whoever asked' }

export const commands: readonly ConfiguredCommand<ApprovalConfig>[] = [
  {
    path: ['approvals', 'list'],
    summary: 'Show calls that wait for approval',
    options: [
      { flags: '--all', summary: 'also those that are decided, used or expired' },
      { flags: '--tenant <tenant>', summary: 'only of this tenant' },
    ],
    examples: ['mcpgw approvals list', 'mcpgw approvals list --all --json'],
    load: async () => (await import('./commands/list.ts')).listRequests,
  },
  {
    path: ['approvals', 'approve'],
    summary: 'Approve a call as the operator, whoever the policy names; it may then be made once',
    args: [id],
    options: [because],
    examples: ['mcpgw approvals approve apr_0123456789abcdef --because "asked Ann on the phone"'],
    load: async () => (await import('./commands/decide.ts')).approve,
  },
  {
    path: ['approvals', 'reject'],
    summary: 'Reject a call that waits for approval',
    args: [id],
    options: [because],
    examples: ['mcpgw approvals reject apr_0123456789abcdef'],
    load: async () => (await import('./commands/decide.ts')).reject,
  },
]
