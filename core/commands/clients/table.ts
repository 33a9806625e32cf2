// The clients that are known: where each keeps its servers, and how it can be pointed at a gateway. What `connect` and `import` share.
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { VerbIo } from '../verb.ts'

export interface Client {
  readonly name: string
  readonly title: string
  /** Its files; the first is the one that `connect` writes. `{home}`, `{cwd}`, and `{config}`: where programs of this system keep their settings. */
  readonly files: readonly string[]
  /** The member of a file that holds the servers. */
  readonly member: 'mcpServers' | 'servers'
  /** `stdio`: it only starts programs. */
  readonly reaches: 'stdio' | 'http'
  /** A URL stands with its type, or alone. */
  readonly isTyped: boolean
  /** How it is given a key: in the file, from a variable of its environment, or by asking the person before it. */
  readonly key: 'file' | 'variable' | 'input'
  /** What makes it read its file again. */
  readonly next: string
}

export const clients: readonly Client[] = [
  {
    name: 'claude',
    title: 'Claude Desktop',
    files: ['{config}/Claude/claude_desktop_config.json'],
    member: 'mcpServers',
    reaches: 'stdio',
    isTyped: false,
    key: 'file',
    next: 'quit and start Claude Desktop',
  },
  {
    name: 'claude-code',
    title: 'Claude Code',
    files: ['{cwd}/.mcp.json', '{home}/.claude.json'],
    member: 'mcpServers',
    reaches: 'http',
    isTyped: true,
    key: 'variable',
    next: 'start claude in this folder, and accept the server',
  },
  {
    name: 'cursor',
    title: 'Cursor',
    files: ['{home}/.cursor/mcp.json', '{cwd}/.cursor/mcp.json'],
    member: 'mcpServers',
    reaches: 'http',
    isTyped: false,
    key: 'file',
    next: 'switch the server on in the settings of Cursor',
  },
  {
    name: 'vscode',
    title: 'VS Code',
    files: ['{cwd}/.vscode/mcp.json', '{config}/Code/User/mcp.json'],
    member: 'servers',
    reaches: 'http',
    isTyped: true,
    key: 'input',
    next: 'start the server in VS Code; it asks for the key once',
  },
]

/** What a gateway is called in the file of a client. */
export const ENTRY = 'mcpgw'
/** The variable or input that holds the key. */
export const KEY_VARIABLE = 'MCPGW_KEY'
export const KEY_INPUT = 'mcpgw-key'

export type Surroundings = Pick<VerbIo, 'env' | 'cwd'> & { readonly platform?: NodeJS.Platform }

/** Absolute. */
export function filesOf({ files }: Client, { env, cwd, platform = process.platform }: Surroundings): readonly string[] {
  const home = homeOf({ env })
  const config =
    platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : platform === 'win32'
        ? (env.APPDATA ?? join(home, 'AppData', 'Roaming'))
        : env.XDG_CONFIG_HOME || join(home, '.config')
  const places: Readonly<Record<string, string>> = { home, cwd, config }
  return files.map(file => join(...file.split('/').map(part => places[/^\{(\w+)\}$/.exec(part)?.[1] ?? ''] ?? part)))
}

export function homeOf({ env }: Pick<VerbIo, 'env'>): string {
  return env.HOME || env.USERPROFILE || homedir()
}
