// `mcpgw tools list|call`: what clients see and what they get, by the same way through all plugins.
import { isFault, Json } from '../mcp/json.ts'
import { alignColumns, type JsonValue, printable } from '../plugin/index.ts'
import type { VerbIo } from './verb.ts'
import { describe, withGateway } from './with-gateway.ts'

interface Tool {
  readonly name: string
  /** Whatever the server sent. */
  readonly description?: unknown
}

export function listTools(io: VerbIo): Promise<number> {
  return withGateway(io, async ({ client }) => {
    const tools: Tool[] = []
    let cursor: string | undefined
    do {
      const answer = await client.request('tools/list', cursor === undefined ? {} : { cursor })
      if (answer.kind === 'error') return fail(io, answer.code, answer.payload.value)
      const page = answer.payload.value as unknown as { tools: readonly Tool[]; nextCursor?: string }
      tools.push(...page.tools)
      cursor = page.nextCursor
    } while (cursor !== undefined)
    if (io.json) io.out(`${JSON.stringify({ tools }, null, 2)}\n`)
    else {
      io.out(
        alignColumns(tools.map(({ name, description }) => [name, typeof description === 'string' ? description.split('\n', 1)[0]! : ''])),
      )
      io.err(`\n${tools.length} tools\n`)
    }
    return 0
  })
}

/** 0 where the tool answered, 1 where it answered with an error of its own or the call was refused. */
export async function callTool(io: VerbIo): Promise<number> {
  const [name, text] = io.args
  const args = typeof text === 'string' ? Json.scan(Buffer.from(text)) : Json.of({})
  if (isFault(args) || args.type !== 'object') {
    const why = isFault(args) ? `${args.message} at byte ${args.offset}` : `found a JSON ${args.type}`
    io.err(`error[arguments]: the arguments are one JSON object: ${why}\n  = help: mcpgw tools call NAME '{"key":"value"}'\n`)
    return 2
  }
  return withGateway(io, async ({ client }) => {
    const answer = await client.request('tools/call', { name: String(name), arguments: args.value }, { signal: io.signal })
    if (answer.kind === 'error') return fail(io, answer.code, answer.payload.value)
    const result = answer.payload.value as { readonly content?: JsonValue; readonly isError?: JsonValue }
    if (io.json) io.out(`${answer.payload.text}\n`)
    else for (const block of Array.isArray(result.content) ? result.content : []) io.out(`${showBlock(block)}\n`)
    return result.isError === true ? 1 : 0
  })
}

function showBlock(block: JsonValue): string {
  const { type, text } = (block ?? {}) as { readonly type?: JsonValue; readonly text?: JsonValue }
  const shown = type === 'text' && typeof text === 'string' ? text : Json.of(block).text
  return shown.split('\n').map(printable).join('\n')
}

function fail(io: VerbIo, code: string | undefined, error: unknown): number {
  if (io.json) io.out(`${JSON.stringify({ error }, null, 2)}\n`)
  io.err(`error[${code}]: ${printable(describe(error))}\n  = help: mcpgw explain ${code}\n`)
  return 1
}
