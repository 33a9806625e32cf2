// Codes that the commands of this plugin tell, beside those of policy files.
import type { ExplainedCode } from 'mcpgw/plugin'

export const commandCodes: Readonly<Record<string, ExplainedCode>> = {
  import: {
    text: 'YAML policies cannot be taken over as they are',
    help: 'The place and what stands in the way are named; nothing was printed or written. Change the YAML so that it has one reading, or write the rule by hand.',
  },
  lock: {
    text: 'the catalog lock cannot be read or written',
    help: '`mcpgw catalog lock` writes it anew from what the servers offer. A lock that somebody edited by hand is not taken.',
  },
  server: {
    text: 'a server does not say what it offers',
    help: 'A lock of half the servers would be none: see `mcpgw servers status` and `mcpgw doctor`, or ask the others alone with --server ID.',
  },
}
