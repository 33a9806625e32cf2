// Uris in what a server says, as the client knows them: one that two servers have is called otherwise, wherever it occurs.
import type { Session } from '../downstream/session.ts'
import { asJson, Json } from '../mcp/json.ts'
import type { Answer, Awaitable } from '../plugin/index.ts'
import type { Catalogs } from './catalogs.ts'

/** The public uri of a server's own; the same where it is known under its own. */
export type Rename = (uri: string) => string
type EditJson = (json: Json) => Json

// Any of them, escaped or not, stands in each answer that has a uri in it.
const SIGNS = ['uri"', 'Uri"', '\\u00'].map(sign => Buffer.from(sign))

export function mayHoldUris({ bytes }: Json): boolean {
  const { buffer, byteOffset, length } = bytes
  const text = Buffer.from(buffer, byteOffset, length)
  return SIGNS.some(sign => text.includes(sign))
}

/** `asked`: what the client called the resource that this is the answer about, and what the server calls it. */
export function withPublicUris(
  catalogs: Catalogs,
  session: Session,
  server: string,
  method: string,
  answer: Answer,
  asked: { readonly own: string; readonly shown: string } | undefined,
): Awaitable<Answer> {
  const { view } = session
  if (view.only !== undefined || view.servers.length < 2) return answer
  const payload = asJson(answer.payload)
  if (!mayHoldUris(payload)) return answer
  const rename = (): Answer => {
    const known = catalogs.renamesOf(session, server)
    if (known === undefined && (asked === undefined || asked.own === asked.shown)) return answer
    const name: Rename = uri => (uri === asked?.own ? asked.shown : (known?.(uri) ?? uri))
    const shown = answer.kind === 'error' ? inMember('data', inUri('uri', name))(payload) : inResult(method, name)(payload)
    return shown === payload ? answer : { ...answer, payload: shown }
  }
  const learning = catalogs.learnUris(session)
  return learning === undefined ? rename() : learning.then(rename)
}

/** The resource that a tool is shown with (MCP Apps). */
export function inDefinition(name: Rename): EditJson {
  return inMeta(name)
}

/** Only where the protocol has a uri of a resource: what a tool made up is its own. */
function inResult(method: string, name: Rename): EditJson {
  switch (method) {
    case 'tools/call':
    case 'tasks/result':
      return result => inMeta(name)(inMember('content', inItems(inBlock(name)))(result))
    case 'prompts/get': {
      const block = inBlock(name)
      return inMember(
        'messages',
        inItems(inMember('content', content => (content.type === 'array' ? inItems(block)(content) : block(content)))),
      )
    }
    case 'resources/read':
      return inMember('contents', inItems(inResource(name)))
    default:
      return result => result
  }
}

function inBlock(name: Rename): EditJson {
  return block => {
    const type = block.string('type')
    if (type === 'resource_link') return inResource(name)(block)
    return type === 'resource' ? inMeta(name)(inMember('resource', inResource(name))(block)) : block
  }
}

function inResource(name: Rename): EditJson {
  return resource => inMeta(name)(inUri('uri', name)(resource))
}

function inMeta(name: Rename): EditJson {
  return inMember('_meta', meta => inUri('ui/resourceUri', name)(inMember('ui', inUri('resourceUri', name))(meta)))
}

function inUri(key: string, name: Rename): EditJson {
  return object => {
    const uri = object.string(key)
    const shown = uri === undefined ? undefined : name(uri)
    return shown === uri ? object : object.with({ [key]: Json.of(shown!) })
  }
}

function inMember(key: string, edit: EditJson): EditJson {
  return object => {
    const before = object.get(key)
    if (before === undefined) return object
    const after = edit(before)
    return after === before ? object : object.with({ [key]: after })
  }
}

function inItems(edit: EditJson): EditJson {
  return array => {
    const before = array.items()
    const after = before.map(edit)
    return after.some((item, i) => item !== before[i]) ? Json.list(after) : array
  }
}
