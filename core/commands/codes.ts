// Codes that commands tell of themselves: the core's own, for `mcpgw explain CODE`.
import type { ExplainedCode } from '../plugin/index.ts'

export const commandCodes: Readonly<Record<string, ExplainedCode>> = {
  usage: {
    text: 'the command line is not understood, or does not fit the config',
    help: 'Look at `mcpgw COMMAND --help`: it has the options, and examples that run.',
  },
  arguments: {
    text: 'the arguments of a tool are one JSON object',
    help: `Put it in single quotes: mcpgw tools call NAME '{"key":"value"}'. What it may hold, \`mcpgw tools list --json\` shows.`,
  },
  'unknown-code': {
    text: 'no part of mcpgw tells such a code',
    help: 'Codes stand in brackets in messages, and as `code` in JSON. Those of a plugin are known where the config names it.',
  },
  'cannot-write': {
    text: 'a file cannot be written or read',
    help: 'The message has the reason of the system: look at the owner and mode of the file and of its folder. Nothing is half written.',
  },
  'client-file': {
    text: "a client's file is not understood",
    help: 'It must be a JSON object, with comments and trailing commas as the client allows. The message has line and column; nothing was changed.',
  },
  'not-connected': {
    text: "the client's file does not name the gateway",
    help: 'There is nothing to undo. `mcpgw connect CLIENT` points the client at the gateway.',
  },
  demo: {
    text: 'the demo did not go as it should',
    help: 'One of its calls was decided or recorded otherwise than shown: this is a bug, or the installed files were changed. Install mcpgw anew.',
  },
  migrate: {
    text: 'tables of a plugin cannot be made or renewed',
    help: 'The message has the answer of PostgreSQL. Run it as the role that owns the tables, or print the SQL with `mcpgw migrate --sql`.',
  },
  'old-node': {
    text: 'this Node is older than what mcpgw runs on',
    help: 'Install Node 20.19 or newer; 24 is recommended.',
  },
}
