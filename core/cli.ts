#!/usr/bin/env node
// The bin: refuses a Node that is too old, answers --version at once, and leaves the rest to a module that is loaded only then.
// Invariant: this file stays within the syntax that old Node versions parse, or they would show a stack trace in place of the reason.
// biome-ignore lint/style/useNodejsImportProtocol: old versions do not know the protocol
import { createRequire } from 'module'

const node = process.versions.node.split('.').map(Number)
const least = [20, 19]
const isOld = node[0]! < least[0]! || (node[0] === least[0] && node[1]! < least[1]!)

if (isOld) {
  process.stderr.write(`error[old-node]: mcpgw needs Node ${least.join('.')} or newer, this is ${process.versions.node}\n`)
  process.stderr.write('  = help: install Node 24 from https://nodejs.org, or with your version manager\n')
  process.exitCode = 3
} else if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  process.stdout.write(`${readVersion()}\n`)
} else {
  import('./commands/main.ts').then(
    function start(main) {
      return main.runProcess(readVersion())
    },
    function fail(error: unknown) {
      process.stderr.write(`error[internal]: mcpgw could not load itself: ${String(error)}\n`)
      process.exitCode = 70
    },
  )
}

function readVersion(): string {
  return createRequire(import.meta.url)('mcpgw/package.json').version
}
