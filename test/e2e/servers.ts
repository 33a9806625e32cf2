// The real servers the end-to-end tests run against, and a folder of files for those that need one.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** As it stands under `mcpServers` of a client's configuration. */
export interface ServerEntry {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface RemoteEntry {
  readonly type?: 'http' | 'sse'
  readonly url: string
}

export type ServerEntries = Readonly<Record<string, ServerEntry>>

/** Folders of one test file: `files` is served by the filesystem server, `root` holds everything and is removed at the end. */
export interface Sandbox {
  readonly root: string
  readonly files: string
  remove(): void
}

const PACKAGES = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const MODULES = join(PACKAGES, '@modelcontextprotocol/')
const FIXTURES = fileURLToPath(new URL('../fixtures/upstream/', import.meta.url))
const ONE_PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='

export function createSandbox(): Sandbox {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mcpgw-e2e-')))
  const files = join(root, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'notes.txt'), 'first line\nsecond line\nthird line\n')
  writeFileSync(join(files, 'dot.png'), Buffer.from(ONE_PIXEL, 'base64'))
  return { root, files, remove: () => rmSync(root, { recursive: true, force: true }) }
}

export function everything(): ServerEntry {
  return { command: process.execPath, args: [join(MODULES, 'server-everything/dist/index.js'), 'stdio'] }
}

/** The four published servers, by the names under which the gateway shows them. */
export function realServers(sandbox: Sandbox): ServerEntries {
  return {
    everything: everything(),
    filesystem: { command: process.execPath, args: [join(MODULES, 'server-filesystem/dist/index.js'), sandbox.files] },
    memory: {
      command: process.execPath,
      args: [join(MODULES, 'server-memory/dist/index.js')],
      env: { MEMORY_FILE_PATH: join(sandbox.root, 'memory.jsonl') },
    },
    thinking: { command: process.execPath, args: [join(MODULES, 'server-sequential-thinking/dist/index.js')] },
  }
}

/** Those, and three by other hands: a long list of tools, a small one, and an app with a page at `ui://`. */
export function allServers(sandbox: Sandbox): ServerEntries {
  return {
    ...realServers(sandbox),
    git: {
      command: process.execPath,
      args: [join(PACKAGES, '@cyanheads/git-mcp-server/dist/index.js')],
      env: { MCP_TRANSPORT_TYPE: 'stdio', LOGS_DIR: join(sandbox.root, 'logs'), HOME: sandbox.root },
    },
    time: { command: process.execPath, args: [join(PACKAGES, 'time-mcp/dist/index.js')] },
    monitor: { command: process.execPath, args: [join(MODULES, 'server-system-monitor/dist/index.js'), '--stdio'] },
  }
}

/** A server that shows which cancellations reach it. */
export function waitingServer(): ServerEntry {
  return { command: process.execPath, args: [join(FIXTURES, 'waiting-server.mjs')] }
}

/** A server that starts in the given manner and misbehaves where it is asked to. */
export function oddServer(manner = 'well'): ServerEntry {
  return { command: process.execPath, args: [join(FIXTURES, 'odd-mcp-server.mjs'), manner] }
}

/** A server that says what it finds in its variable LEAK on every channel: in several encodings, or as text alone. */
export function leakyServer(leak: string, form: 'encoded' | 'text'): ServerEntry {
  return { command: process.execPath, args: [join(FIXTURES, 'leaky-server.mjs')], env: { LEAK: leak, FORM: form } }
}
