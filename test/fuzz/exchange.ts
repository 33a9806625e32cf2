// One generated exchange: what the client sends, what the server does on the way, what it answers; and what each side saw of it.
import fc, { type Arbitrary } from 'fast-check'
import type { Received, Script } from '../core/data-plane/script.ts'
import { errorObject, members, otherResult, string, toolResult, value } from './oddities.ts'

export interface Exchange {
  readonly n: number
  /** JSON text. */
  readonly id: string
  readonly request: string
  /** The same of a client with sessions, and of a stateless one. */
  readonly legacy: string
  readonly modern: string
  /** Sent by the client before the request. */
  readonly note: string | undefined
  /** Said by the server before it answers; `TOKEN` stands for the progress token it was given. */
  readonly says: readonly string[]
  /** Asked by the server before it answers, and what the client answers to that. */
  readonly ask: { readonly method: string; readonly params: string; readonly reply: string } | undefined
  /** `"result":...` or `"error":...` */
  readonly answer: string
}

/** What the two sides saw, with ids and tokens taken out. */
export interface Transcript {
  /** By the server. */
  readonly received: string[]
  readonly noted: string[]
  readonly replied: string[]
  /** By the client: its own progress in order, other notifications in order, requests, and the answer. */
  readonly progress: string[]
  readonly told: string[]
  readonly asked: string[]
  readonly answered: string[]
}

const token = fc.oneof(string, fc.constantFrom('7', '0', '-1', '9007199254740993', '"7"'))
const reply = fc.oneof(
  value.map(text => `"result":${text}`),
  errorObject.map(text => `"error":${text}`),
)

/** What a stateless client says of itself with each request, as the gateway orders it. */
export const ENVELOPE =
  '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"debug"'

/** Everything of exchange `n` that may differ from one to the next. */
function exchange(n: number): Arbitrary<Exchange> {
  const own = members.map(text => (text === '' ? `"x-case":${n}` : `"x-case":${n},${text}`))
  const meta = fc
    .tuple(fc.option(token), members)
    .map(([given, more]) => [...(given === null ? [] : [`"progressToken":${given}`]), ...(more === '' ? [] : [more])].join(','))
  const both = (render: (meta: readonly string[], envelope: readonly string[]) => string, inner: string): [string, string] => {
    if (inner === '') return [render([], []), render([], [`"_meta":{${ENVELOPE}}`])]
    return [render([`"_meta":{${inner}}`], []), render([`"_meta":{${inner},${ENVELOPE}}`], [])]
  }
  const call = fc
    .tuple(own, fc.option(value), meta)
    .map(([extra, args, inner]) =>
      both(
        (first, last) =>
          `"method":"tools/call","params":{${[...first, ...(args === null ? [] : [`"arguments":${args}`]), extra, '"name":"echo"', ...last].join(',')}}`,
        inner,
      ),
    )
  const named = fc
    .tuple(
      own,
      meta,
      fc.constantFrom(
        '"method":"resources/read","params":{"uri":"x:\\u002f/r"',
        '"method":"prompts/get","params":{"name":"p"',
        '"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p","x":1.0}',
      ),
    )
    .map(([extra, inner, head]) => both((first, last) => `${[head, extra, ...first, ...last].join(',')}}`, inner))
  const unknown = fc.oneof(
    fc
      .constantFrom(`"method":"odd/${n}"`, `"method":"odd/${n}","params":{}`)
      .map((body): [string, string] => [body, `"method":"odd/${n}","params":{"_meta":{${ENVELOPE}}}`]),
    fc
      .tuple(own, meta)
      .map(([extra, inner]) => both((first, last) => `"method":"odd/${n}","params":{${[...first, extra, ...last].join(',')}}`, inner)),
  )
  const id = fc.constantFrom(`${n}`, `-${n + 1}`, `"${n}"`, `"\\u0061 ${n} é"`, `9007199254${String(n).padStart(8, '0')}`)
  const says = fc.array(
    fc.oneof(
      members.map(
        more => `"method":"notifications/progress","params":{"progressToken":TOKEN,"x-case":${n}${more === '' ? '' : `,${more}`}}`,
      ),
      fc
        .tuple(value, members)
        .map(
          ([data, more]) =>
            `"method":"notifications/message","params":{"level":"error","data":${data},"x-case":${n}${more === '' ? '' : `,${more}`}}`,
        ),
      own.map(text => `"method":"notifications/x.odd","params":{${text}}`),
    ),
    { maxLength: 3 },
  )
  const ask = fc.record({
    method: fc.constantFrom('sampling/createMessage', 'elicitation/create', 'roots/list', 'x/ask'),
    params: own,
    reply,
  })
  const answer = fc.oneof(
    { weight: 5, arbitrary: toolResult.map(text => `"result":${text}`) },
    { weight: 2, arbitrary: otherResult.map(text => `"result":${text}`) },
    { weight: 1, arbitrary: errorObject.map(text => `"error":${text}`) },
  )
  return fc
    .record({
      id,
      body: fc.oneof({ weight: 3, arbitrary: call }, named, unknown),
      note: fc.option(own, { freq: 1 }),
      says,
      ask: fc.option(ask, { freq: 1 }),
      answer,
    })
    .map(one => ({
      n,
      id: one.id,
      request: `{"jsonrpc":"2.0","id":${one.id},${one.body[0]}}`,
      legacy: `{"jsonrpc":"2.0","id":${one.id},${one.body[0]}}`,
      modern: `{"jsonrpc":"2.0","id":${one.id},${one.body[1]}}`,
      note: one.note === null ? undefined : `{"jsonrpc":"2.0","method":"notifications/x.client","params":{${one.note}}}`,
      says: one.body[0].includes('"progressToken":') ? one.says : one.says.filter(text => !text.includes('TOKEN')),
      ask: one.ask === null ? undefined : one.ask,
      answer: one.answer,
    }))
}

export function generate(count: number, seed: number): Exchange[] {
  const made: Exchange[] = []
  for (let n = 0; n < count; n++) made.push(fc.sample(exchange(n), { numRuns: 1, seed: seed + n })[0]!)
  return made
}

export type Era = 'legacy' | 'modern'

/** The same exchange between a client and a server of these eras: without what one of them has not. */
export function between(one: Exchange, client: Era, server: Era, transport: 'http' | 'stdio'): Exchange {
  if (client === 'legacy' && server === 'legacy') return one
  // On standard streams nobody can tell whose such a notification is, and a stateless client hears nothing that he did not ask for.
  const says = client === 'modern' && transport === 'stdio' ? one.says.filter(text => !text.includes('x.odd')) : one.says
  const request = client === 'modern' ? one.modern : one.request
  return {
    ...one,
    request,
    says,
    note: undefined,
    ask: undefined,
    answer: server === 'modern' ? modernAnswer(one.answer) : wellFormed(one.answer),
  }
}

/** With what each result of the revision has; and of the numbers of errors that one which it has not. */
function modernAnswer(answer: string): string {
  const result = wellFormed(answer)
  if (!result.startsWith('"result":{')) return result
  const body = result.slice('"result":{'.length, -1)
  return `"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private"${body.trim() === '' ? '' : ','}${body}}`
}

/** A result is an object; the number of what is not found differs between the eras. */
function wellFormed(answer: string): string {
  if (answer.startsWith('"result":') && !answer.startsWith('"result":{')) return `"result":{"x":${answer.slice('"result":'.length)}}`
  return answer.replace(/^"error":\{"code":-32002,/, '"error":{"code":-32004,')
}

/** Without what the gateway adds or takes between the eras. */
export function withoutEra(text: string): string {
  return text
    .replace(/,?"io.modelcontextprotocol\/protocolVersion":"2026-07-28",.*?,"io.modelcontextprotocol\/logLevel":"debug"/, '')
    .replace(/,?"_meta":\{\}/, '')
    .replace(/,"params":\{\}/, '')
    .replace(/"resultType":"complete"(,"ttlMs":0,"cacheScope":"private")?/, 'ERA')
    .replace(/ERA,|,?ERA/, '')
}

/** What has not come by then is lost, and shows as a difference. */
const SILENCE_MS = 30_000
const HEAD = /^\{"jsonrpc":"2\.0",(?:"id":("(?:[^"\\]|\\.)*"|-?\d+|null),)?"(method|result|error)":/
const CASE = /"x-case":(\d+)|"method":"odd\/(\d+)"/
const TOKEN = /"progressToken":("(?:[^"\\]|\\.)*"|-?\d+)/

/** The message without its id and its progress token, and what it belongs to. */
function read(text: string): {
  kind: 'method' | 'result' | 'error'
  id: string | undefined
  n: number
  token: string | undefined
  plain: string
} {
  const [head, id, kind] = HEAD.exec(text) ?? []
  if (head === undefined) throw new Error(`not written as a message is: ${text.slice(0, 200)}`)
  const found = kind === 'method' ? CASE.exec(text) : null
  const token = kind === 'method' ? TOKEN.exec(text)?.[1] : undefined
  let plain = id === undefined ? text : text.replace(`"id":${id}`, () => '"id":ID')
  if (token !== undefined) plain = plain.replace(`"progressToken":${token}`, () => '"progressToken":TOKEN')
  return { kind: kind as 'method', id, n: Number(found?.[1] ?? found?.[2] ?? -1), token, plain }
}

/** A client, of whichever transport. `heard` gets each message of the server, whole. */
export interface Talker {
  send(text: string): void
  heard: (text: string) => void
}

/** Plays both sides of all exchanges at once over one connection; resolves when each is over, or has been given up. */
export async function play(exchanges: readonly Exchange[], talker: Talker, upstream: Script): Promise<Map<number, Transcript>> {
  const transcripts = new Map<number, Transcript>()
  const byNumber = new Map(exchanges.map(one => [one.n, one]))
  const byId = new Map(exchanges.map(one => [one.id, one.n]))
  const waiting = new Map<string, { received: Received; n: number }>()
  for (const { n } of exchanges)
    transcripts.set(n, { received: [], noted: [], replied: [], progress: [], told: [], asked: [], answered: [] })
  const open = new Set(byNumber.keys())
  let wake = (): void => {}
  const over = (n: number): void => {
    const { note, says, ask } = byNumber.get(n)!
    const { noted, replied, progress, told, answered } = transcripts.get(n)!
    if (answered.length === 0 || progress.length + told.length < says.length) return
    if (noted.length < (note === undefined ? 0 : 1) || replied.length < (ask === undefined ? 0 : 1)) return
    open.delete(n)
    if (open.size === 0) wake()
  }

  // The server's side. A message without a method is the client's answer to what was asked.
  upstream.handlers.set('*', received => {
    const { n, id, token, plain, kind } = read(received.text)
    if (kind !== 'method') {
      const { received: first, n: asking } = waiting.get(id!)!
      waiting.delete(id!)
      transcripts.get(asking)!.replied.push(plain)
      finish(first, byNumber.get(asking)!)
      return over(asking)
    }
    const one = byNumber.get(n)
    if (one === undefined) return
    const transcript = transcripts.get(n)!
    if (id === undefined) {
      transcript.noted.push(plain)
      return over(n)
    }
    transcript.received.push(plain)
    for (const said of one.says) received.say(`{"jsonrpc":"2.0",${said.replace('TOKEN', () => token!)}}`)
    if (one.ask === undefined) return finish(received, one)
    waiting.set(`"ask ${n}"`, { received, n })
    received.say(`{"jsonrpc":"2.0","id":"ask ${n}","method":"${one.ask.method}","params":{${one.ask.params}}}`)
  })
  function finish(received: Received, { answer }: Exchange): void {
    received.answer(`{"jsonrpc":"2.0","id":${received.id},${answer}}`)
  }

  // The client's side.
  talker.heard = text => {
    const { kind, id, n: tagged, plain } = read(text)
    const n = kind === 'method' ? tagged : (byId.get(id!) ?? -1)
    const transcript = transcripts.get(n)
    if (transcript === undefined) return
    if (kind !== 'method') transcript.answered.push(plain)
    else if (id === undefined) (plain.includes('"notifications/progress"') ? transcript.progress : transcript.told).push(plain)
    else {
      transcript.asked.push(plain)
      talker.send(`{"jsonrpc":"2.0","id":${id},${byNumber.get(n)!.ask!.reply}}`)
    }
    over(n)
  }
  const done = new Promise<void>(resolve => {
    const silence = setTimeout(resolve, SILENCE_MS)
    wake = () => {
      clearTimeout(silence)
      resolve()
    }
  })
  for (const { note, request } of exchanges) {
    if (note !== undefined) talker.send(note)
    talker.send(request)
  }
  await done
  return transcripts
}
