// One sensible call to each tool of the real servers, in an order in which they build on each other.
import { join } from 'node:path'
import type { Sandbox } from './servers.ts'

export interface ToolCase {
  readonly server: string
  readonly tool: string
  arguments(sandbox: Sandbox): Record<string, unknown>
  /** What the result must show, somewhere in its JSON. */
  readonly shows: RegExp
}

/** Tools that need more than a call and an answer; their tests are elsewhere in this folder. */
export const TESTED_ELSEWHERE: readonly string[] = [
  'get-roots-list',
  'trigger-sampling-request',
  'trigger-elicitation-request',
  'trigger-url-elicitation',
  'trigger-sampling-request-async',
  'trigger-elicitation-request-async',
  'simulate-research-query',
]

type Arguments = Record<string, unknown> | ((sandbox: Sandbox) => Record<string, unknown>)

function caseOf(server: string, tool: string, args: Arguments, shows: RegExp): ToolCase {
  return { server, tool, arguments: typeof args === 'function' ? args : () => args, shows }
}

const inFiles =
  (name: string, more: Record<string, unknown> = {}) =>
  ({ files }: Sandbox) => ({ path: join(files, name), ...more })

const everything: ToolCase[] = [
  caseOf('everything', 'echo', { message: 'grüß dich, 世界 "quoted"\n' }, /Echo: grüß dich, 世界 \\"quoted\\"\\n/),
  caseOf('everything', 'get-sum', { a: 2, b: 40 }, /The sum of 2 and 40 is 42/),
  caseOf(
    'everything',
    'get-annotated-message',
    { messageType: 'error', includeImage: true },
    /"audience":\["user","assistant"\],"priority":1\}.*"type":"image"/,
  ),
  caseOf('everything', 'get-env', {}, /PATH/),
  caseOf('everything', 'get-resource-links', { count: 3 }, /"type":"resource_link".*demo:\/\/resource\/dynamic\/text\/2/),
  caseOf(
    'everything',
    'get-resource-reference',
    { resourceType: 'Blob', resourceId: 7 },
    /"type":"resource".*demo:\/\/resource\/dynamic\/blob\/7.*"blob":/,
  ),
  caseOf(
    'everything',
    'get-structured-content',
    { location: 'Chicago' },
    /"structuredContent":\{"temperature":36,"conditions":"Light rain \/ drizzle","humidity":82\}/,
  ),
  caseOf('everything', 'get-tiny-image', {}, /"type":"image".*"mimeType":"image\/png"/),
  caseOf(
    'everything',
    'gzip-file-as-resource',
    { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' },
    /application\/gzip.*"blob":"H4sI/,
  ),
  caseOf('everything', 'trigger-long-running-operation', { duration: 0.2, steps: 2 }, /Long running operation completed/),
  caseOf('everything', 'toggle-simulated-logging', {}, /Started simulated/),
  caseOf('everything', 'toggle-simulated-logging', {}, /Stopped simulated logging/),
  caseOf('everything', 'toggle-subscriber-updates', {}, /Started simulated/),
  caseOf('everything', 'toggle-subscriber-updates', {}, /Stopped simulated resource updates/),
]

const filesystem: ToolCase[] = [
  caseOf('filesystem', 'list_allowed_directories', {}, /files/),
  caseOf('filesystem', 'read_file', inFiles('notes.txt'), /first line\\nsecond line/),
  caseOf('filesystem', 'read_text_file', inFiles('notes.txt', { head: 1 }), /"structuredContent":\{"content":"first line"\}/),
  caseOf('filesystem', 'read_media_file', inFiles('dot.png'), /image\/png/),
  caseOf(
    'filesystem',
    'read_multiple_files',
    ({ files }) => ({ paths: [join(files, 'notes.txt'), join(files, 'absent.txt')] }),
    /third line.*Error/,
  ),
  caseOf('filesystem', 'write_file', inFiles('new.txt', { content: 'old text' }), /Successfully wrote/),
  caseOf('filesystem', 'edit_file', inFiles('new.txt', { edits: [{ oldText: 'old', newText: 'new' }] }), /\+new text/),
  caseOf('filesystem', 'create_directory', inFiles('sub'), /Successfully created directory/),
  caseOf(
    'filesystem',
    'move_file',
    ({ files }) => ({ source: join(files, 'new.txt'), destination: join(files, 'sub', 'moved.txt') }),
    /Successfully moved/,
  ),
  caseOf('filesystem', 'list_directory', inFiles('sub'), /\[FILE\] moved\.txt/),
  caseOf('filesystem', 'list_directory_with_sizes', inFiles('.'), /\[DIR\] sub/),
  caseOf('filesystem', 'directory_tree', inFiles('.'), /moved\.txt/),
  caseOf('filesystem', 'search_files', inFiles('.', { pattern: '**/moved*' }), /sub\/moved\.txt/),
  caseOf('filesystem', 'get_file_info', inFiles('notes.txt'), /isFile: true/),
]

const memory: ToolCase[] = [
  caseOf(
    'memory',
    'create_entities',
    {
      entities: [
        { name: 'Ada', entityType: 'person', observations: ['wrote notes'] },
        { name: 'Engine', entityType: 'machine', observations: [] },
      ],
    },
    /wrote notes/,
  ),
  caseOf('memory', 'create_relations', { relations: [{ from: 'Ada', to: 'Engine', relationType: 'programs' }] }, /programs/),
  caseOf('memory', 'add_observations', { observations: [{ entityName: 'Ada', contents: ['likes poetry'] }] }, /likes poetry/),
  caseOf('memory', 'search_nodes', { query: 'poetry' }, /Ada/),
  caseOf('memory', 'open_nodes', { names: ['Engine'] }, /machine/),
  caseOf('memory', 'delete_observations', { deletions: [{ entityName: 'Ada', observations: ['wrote notes'] }] }, /deleted/),
  caseOf('memory', 'delete_relations', { relations: [{ from: 'Ada', to: 'Engine', relationType: 'programs' }] }, /deleted/),
  caseOf('memory', 'delete_entities', { entityNames: ['Engine'] }, /deleted/),
  caseOf('memory', 'read_graph', {}, /"observations":\["likes poetry"\]\}\],"relations":\[\]/),
]

const thinking: ToolCase[] = [
  caseOf(
    'thinking',
    'sequentialthinking',
    { thought: 'start', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 },
    /"thoughtHistoryLength":1/,
  ),
]

export const TOOL_CASES: readonly ToolCase[] = [...everything, ...filesystem, ...memory, ...thinking]
