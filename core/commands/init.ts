// `mcpgw init`: a first config and its schema for editors. What exists already stays as it is.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { defaults } from '../config/schema.ts'
import { schemaText } from './config-schema.ts'
import { textOption, type VerbIo } from './verb.ts'

const nextSteps = [
  'mcpgw keys create "My Agent" agent-1   makes an API key and shows it once',
  'mcpgw doctor                           checks that everything can start',
  'mcpgw run                              starts the gateway',
]

export async function init(io: VerbIo): Promise<number> {
  const file = resolve(io.cwd, textOption(io, 'config') ?? 'mcpgw.yaml')
  const schema = resolve(io.cwd, textOption(io, 'dataDir') ?? defaults.dataDir, 'schema.json')
  const wrote: string[] = []
  const kept: string[] = []
  try {
    const note = (path: string, isNew: boolean): number => (isNew ? wrote : kept).push(relative(io.cwd, path))
    note(file, await writeNew(file, template(relative(dirname(file), schema)), 0o644))
    // The schema belongs to this version of mcpgw, so a newer one may replace it.
    await mkdir(dirname(schema), { recursive: true, mode: 0o700 })
    await writeFile(schema, schemaText(), { mode: 0o600 })
    note(schema, true)
  } catch (error) {
    io.err(`error[cannot-write]: ${error instanceof Error ? error.message : String(error)}\n`)
    return 3
  }
  if (io.json) io.out(`${JSON.stringify({ wrote, kept, next: nextSteps.map(step => step.split(/ {2,}/)[0]) }, null, 2)}\n`)
  else {
    for (const path of wrote) io.out(`wrote ${path}\n`)
    for (const path of kept) io.out(`kept  ${path} (it exists)\n`)
    io.out(`\nNext:\n${nextSteps.map(step => `  ${step}\n`).join('')}`)
  }
  return 0
}

async function writeNew(path: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function template(schema: string): string {
  return `# yaml-language-server: $schema=${schema.replaceAll('\\', '/')}
# What stands behind the gateway, and what every call passes. \`mcpgw config show --origin\` shows what is in force.

listen: ${defaults.listen.host}:${defaults.listen.port}

# Each server is a program that the gateway starts, or a URL. Its tools are called ID__TOOL.
servers: []
#  - id: files
#    name: Files of this folder
#    command: npx
#    args: ["-y", "@modelcontextprotocol/server-filesystem", "."]
#  - id: remote
#    url: https://mcp.example.com/mcp
#    headers:
#      Authorization: "Bearer \${secret:remote-token}" # a file of mode 0600 in .mcpgw/secrets

# In the order in which they see a call.
plugins:
  - audit # records every call
  - auth # asks for an API key
  - redact # masks cards, e-mail addresses and known forms of secrets
`
}
