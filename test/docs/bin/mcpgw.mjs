#!/usr/bin/env node
// `mcpgw` as the blocks of the documentation call it: the built command; a gateway is ended as soon as it says that it is ready.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../../dist/core/cli.js', import.meta.url))
const words = process.argv.slice(2)
// A client's snippet keeps its gateway until the client goes.
const ends = ['run', 'serve'].includes(words[0]) && process.env.MCPGW_DOCS_KEEP === undefined
const child = spawn(process.execPath, [cli, ...words], { stdio: ['inherit', 'inherit', ends ? 'pipe' : 'inherit'] })
let said = ''
let isEnding = false
child.stderr?.on('data', chunk => {
  said += chunk
  process.stderr.write(chunk)
  if (isEnding || !/^ready in /m.test(said)) return
  // Once: a second signal would not let it finish.
  isEnding = true
  child.kill('SIGTERM')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('close', code => process.exit(code ?? 70))
