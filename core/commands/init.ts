// `mcpgw init`: a first config, a first policy, and a schema for editors. What exists already stays as it is.
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { defaults } from '../config/schema.ts'
import { schemaText } from './config-schema.ts'
import { textOption, type VerbIo } from './verb.ts'

const nextSteps = [
  'mcpgw keys create "My Agent" agent-1   makes an API key and shows it once',
  'mcpgw policy test                      tries the policy',
  'mcpgw doctor                           checks that everything can start',
  'mcpgw run                              starts the gateway',
]

export async function init(io: VerbIo): Promise<number> {
  const file = resolve(io.cwd, textOption(io, 'config') ?? 'mcpgw.yaml')
  let made: Made
  try {
    made = await createProject(io, file, template)
  } catch (error) {
    io.err(`error[cannot-write]: ${error instanceof Error ? error.message : String(error)}\n`)
    return 3
  }
  const name = (path: string): string => relative(io.cwd, path)
  const [wrote, kept] = [made.wrote.map(name), made.kept.map(name)]
  if (io.json) io.out(`${JSON.stringify({ wrote, kept, next: nextSteps.map(step => step.split(/ {2,}/)[0]) }, null, 2)}\n`)
  else {
    for (const path of wrote) io.out(`wrote ${path}\n`)
    for (const path of kept) io.out(`kept  ${path} (it exists)\n`)
    io.out(`\nNext:\n${nextSteps.map(step => `  ${step}\n`).join('')}`)
  }
  return 0
}

export function schemaFile(io: Pick<VerbIo, 'cwd' | 'options'>): string {
  return resolve(io.cwd, textOption(io, 'dataDir') ?? defaults.dataDir, 'schema.json')
}

export interface Made {
  /** Absolute paths. */
  readonly wrote: readonly string[]
  readonly kept: readonly string[]
}

/** A config of its own is given a policy too, which is there before a config names it. The schema belongs to this version, so a newer one may replace it. */
export async function createProject(io: Pick<VerbIo, 'cwd' | 'options'>, file: string, textFor: (schema: string) => string): Promise<Made> {
  const schema = schemaFile(io)
  const policy = resolve(dirname(file), 'main.policy')
  const wrote: string[] = []
  const kept: string[] = []
  const note = (path: string, isNew: boolean): number => (isNew ? wrote : kept).push(path)
  if (await exists(file)) {
    note(file, false)
    if (await exists(policy)) note(policy, false)
  } else {
    const rules = await readFile(new URL('../demo/main.policy', import.meta.url), 'utf8')
    const isNew = await writeNew(policy, rules)
    note(file, await writeNew(file, textFor(relative(dirname(file), schema))))
    note(policy, isNew)
  }
  await mkdir(dirname(schema), { recursive: true, mode: 0o700 })
  const isOld = (await readFile(schema, 'utf8').catch(() => undefined)) !== schemaText()
  if (isOld) await writeFile(schema, schemaText(), { mode: 0o600 })
  note(schema, isOld)
  return { wrote, kept }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** `observes`: the policy is tried first: what it would deny is only recorded. */
export function template(schema: string, observes = false): string {
  const policy = observes
    ? '  - policy: # decides by the files above\n      mode: observe # tried first: what would be denied is on record; take this line out to deny it'
    : '  - policy # decides by the files above'
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

# Who may do what: a file, or a folder of them.
policies: [main.policy]

# In the order in which they see a call.
plugins:
  - audit # records every call
  - auth # asks for an API key
${policy}
  - redact # masks cards, e-mail addresses and known forms of secrets
`
}
