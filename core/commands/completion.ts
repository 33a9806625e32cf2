// `mcpgw completion SHELL`: a script that is made of the table of commands, and asks nothing of mcpgw while somebody types.
import { bashScript } from './completion/bash.ts'
import { fishScript } from './completion/fish.ts'
import { listNodes } from './completion/nodes.ts'
import { zshScript } from './completion/zsh.ts'
import type { VerbIo } from './verb.ts'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

export async function completion(io: VerbIo): Promise<number> {
  const shell = io.args[0] as keyof typeof scripts
  const script = scripts[shell](listNodes((await io.listVerbs?.()) ?? []))
  io.out(io.json ? `${JSON.stringify({ shell, script }, null, 2)}\n` : script)
  return 0
}
