// Demo server `notes`: a notebook in memory, to show tools that read, write and delete, resources with subscriptions, and a prompt.
import { serve } from './loop.ts'
import { DemoError, type Handler, isFields } from './protocol.ts'
import { readsOnly, type Tool, textOf, textResult, toolError, toolMethods } from './tools.ts'

interface Note {
  readonly title: string
  readonly text: string
  readonly tags: readonly string[]
}

const notes = new Map<string, Note>([
  ['note://welcome', { title: 'Welcome', text: 'This notebook lives in memory: it is gone when the server stops.', tags: ['demo'] }],
  ['note://groceries', { title: 'Groceries', text: 'Bread, olives, coffee.', tags: ['home'] }],
  ['note://release', { title: 'Release checklist', text: '1. Tests are green. 2. Changelog is written. 3. Tag.', tags: ['work'] }],
])
const subscribed = new Set<string>()
let added = 0

const uri = { type: 'string', description: 'The uri of a note, such as note://welcome.', pattern: '^note://.+$', maxLength: 200 } as const
const writes = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false }

const tools: Record<string, Tool> = {
  add_note: {
    title: 'Add a note',
    description: 'Adds a note to the notebook and returns its uri. The note can then be read as a resource.',
    annotations: writes,
    properties: {
      title: { type: 'string', description: 'A short title, up to 100 characters.', maxLength: 100 },
      text: { type: 'string', description: 'The text of the note, up to 100,000 characters.', maxLength: 100_000 },
      tags: { type: 'array', items: { type: 'string' }, description: 'Words to find the note by.', default: [] },
    },
    required: ['title', 'text'],
    outputSchema: { type: 'object', properties: { uri: { type: 'string' } }, required: ['uri'] },
    run(args, call) {
      const added = nextUri()
      notes.set(added, { title: args.text('title'), text: args.text('text'), tags: args.list('tags') })
      call.notify('notifications/resources/list_changed', {})
      return textResult(`Added ${added}.`, { uri: added })
    },
  },
  append_to_note: {
    title: 'Append to a note',
    description: 'Adds a line at the end of a note. Whoever subscribed to the note is told.',
    annotations: writes,
    properties: { uri, text: { type: 'string', description: 'The line to add, up to 10,000 characters.', maxLength: 10_000 } },
    required: ['uri', 'text'],
    run(args, call) {
      const uri = args.text('uri')
      const note = notes.get(uri)
      if (note === undefined) return toolError(`There is no note ${uri}.`)
      notes.set(uri, { ...note, text: `${note.text}\n${args.text('text')}` })
      if (subscribed.has(uri)) call.notify('notifications/resources/updated', { uri })
      return textResult(`Appended to ${uri}.`)
    },
  },
  search_notes: {
    title: 'Search notes',
    description: 'Finds notes whose title, text or tags contain the given words, and returns their uris and titles.',
    annotations: readsOnly,
    properties: {
      query: { type: 'string', description: 'Words to look for; case does not matter. Empty finds every note.', maxLength: 200 },
      limit: { type: 'integer', description: 'The most notes to return, 1 to 100.', minimum: 1, maximum: 100, default: 20 },
    },
    required: ['query'],
    run(args) {
      const words = args.text('query').toLowerCase().split(/\s+/)
      const fits = (note: Note): boolean => words.every(word => wordsOf(note).includes(word))
      const found = [...notes].filter(([, note]) => fits(note)).slice(0, args.number('limit'))
      const lines = found.map(([uri, note]) => `${uri}  ${note.title}`)
      const links = found.map(([uri, note]) => ({ type: 'resource_link', uri, name: note.title, mimeType: 'text/plain' }))
      const summary = { type: 'text', text: lines.length === 0 ? 'No note fits.' : lines.join('\n') }
      return { content: [summary, ...links] }
    },
  },
  delete_note: {
    title: 'Delete a note',
    description: 'Deletes a note for good.',
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    properties: { uri },
    required: ['uri'],
    run(args, call) {
      const uri = args.text('uri')
      if (!notes.delete(uri)) return toolError(`There is no note ${uri}.`)
      call.notify('notifications/resources/list_changed', {})
      return textResult(`Deleted ${uri}.`)
    },
  },
}

const resourceMethods: Record<string, Handler> = {
  'resources/list': () => ({
    resources: [...notes].map(([uri, { title, text }]) => {
      return { uri, name: uri.slice('note://'.length), title, mimeType: 'text/plain', size: Buffer.byteLength(text) }
    }),
  }),
  'resources/templates/list': () => ({
    resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'note', title: 'A note', mimeType: 'text/plain' }],
  }),
  'resources/read': params => {
    const uri = textOf(params.uri)
    return { contents: [{ uri, mimeType: 'text/plain', text: find(uri).text }] }
  },
  'resources/subscribe': params => {
    const uri = textOf(params.uri)
    find(uri)
    subscribed.add(uri)
    return {}
  },
  'resources/unsubscribe': params => {
    subscribed.delete(textOf(params.uri))
    return {}
  },
}

const topic = { name: 'topic', description: 'What the summary is to be about; all notes where it is left out.', required: false }
const promptMethods: Record<string, Handler> = {
  'prompts/list': () => ({
    prompts: [
      { name: 'summarise_notes', title: 'Summarise notes', description: 'Asks for a summary of the notebook.', arguments: [topic] },
    ],
  }),
  'prompts/get': params => {
    if (params.name !== 'summarise_notes') throw new DemoError(-32602, `unknown prompt: ${textOf(params.name)}`)
    const about = isFields(params.arguments) ? textOf(params.arguments.topic ?? '').toLowerCase() : ''
    const chosen = [...notes.values()].filter(note => wordsOf(note).includes(about))
    const text = `Summarise these notes in three sentences.\n\n${chosen.map(note => `# ${note.title}\n${note.text}`).join('\n\n')}`
    return { description: 'A summary of the notebook', messages: [{ role: 'user', content: { type: 'text', text } }] }
  },
}

function find(uri: string): Note {
  const note = notes.get(uri)
  if (note === undefined) throw new DemoError(-32002, `resource not found: ${uri}`)
  return note
}

function nextUri(): string {
  do added++
  while (notes.has(`note://${added}`))
  return `note://${added}`
}

function wordsOf({ title, text, tags }: Note): string {
  return [title, text, ...tags].join('\n').toLowerCase()
}

serve({
  name: 'notes',
  title: 'Notebook (demo)',
  instructions: 'A notebook in memory. Search before you add; notes are resources with note:// uris.',
  capabilities: { tools: {}, resources: { subscribe: true, listChanged: true }, prompts: {} },
  methods: { ...toolMethods(tools), ...resourceMethods, ...promptMethods },
})
