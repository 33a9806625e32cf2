// Where each client keeps its file, on each system.
import { expect, test } from 'vitest'
import { clients, filesOf } from '../../../../core/commands/clients/table.ts'

const filesOn = (name: string, platform: NodeJS.Platform, env: Record<string, string>): readonly string[] =>
  filesOf(clients.find(one => one.name === name)!, { platform, env, cwd: '/work' })

test.each([
  ['claude', 'darwin', { HOME: '/h' }, ['/h/Library/Application Support/Claude/claude_desktop_config.json']],
  ['claude', 'linux', { HOME: '/h' }, ['/h/.config/Claude/claude_desktop_config.json']],
  ['claude', 'linux', { HOME: '/h', XDG_CONFIG_HOME: '/c' }, ['/c/Claude/claude_desktop_config.json']],
  ['claude', 'win32', { USERPROFILE: '/h', APPDATA: '/a' }, ['/a/Claude/claude_desktop_config.json']],
  ['claude-code', 'linux', { HOME: '/h' }, ['/work/.mcp.json', '/h/.claude.json']],
  ['cursor', 'win32', { USERPROFILE: '/h' }, ['/h/.cursor/mcp.json', '/work/.cursor/mcp.json']],
  ['vscode', 'darwin', { HOME: '/h' }, ['/work/.vscode/mcp.json', '/h/Library/Application Support/Code/User/mcp.json']],
] as const)('%s on %s with %j', (name, platform, env, files) => {
  expect(filesOn(name, platform, env)).toEqual(files)
})
