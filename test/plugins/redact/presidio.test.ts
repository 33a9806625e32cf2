// Presidio's analyzer over HTTP, against a local one that speaks its API: POST /analyze, offsets in code points, errors as it gives them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFakeClock, type Harness, harness } from 'mcpgw/testing'
import { afterEach, expect, test } from 'vitest'
import redact from '../../../plugins/redact/index.ts'

interface Asked {
  readonly text: string | readonly string[]
  readonly language: string
  readonly score_threshold?: number
  readonly entities?: readonly string[]
}
type Answer = (response: ServerResponse, asked: Asked, request: IncomingMessage) => void

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** As the analyzer does it: names of this list, offsets in code points, keys sorted. */
function analyze(text: string, { entities, score_threshold: least = 0 }: Asked): object[] {
  const found: { start: number; end: number; score: number; entity_type: string }[] = []
  const known: readonly [RegExp, string, number][] = [
    [/Ann Smith|Jürgen Müller/g, 'PERSON', 0.85],
    [/Berlin/g, 'LOCATION', 0.6],
    [/\bMay\b/g, 'DATE_TIME', 0.3],
  ]
  for (const [pattern, entity, score] of known) {
    if (score < least || (entities && !entities.includes(entity))) continue
    for (const match of text.matchAll(pattern)) {
      const start = Array.from(text.slice(0, match.index)).length
      found.push({ start, end: start + Array.from(match[0]).length, score, entity_type: entity })
    }
  }
  return found.map(one => ({ analysis_explanation: null, ...one }))
}

const well: Answer = (response, asked) => {
  const results = typeof asked.text === 'string' ? analyze(asked.text, asked) : asked.text.map(text => analyze(text, asked))
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(results))
}

async function serve(answer: Answer): Promise<{ url: string; asked: Asked[]; server: Server }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part as Buffer))
    request.on('end', () => {
      if (request.method !== 'POST' || request.url !== '/analyze') return void response.writeHead(404).end()
      const body = JSON.parse(Buffer.concat(parts).toString()) as Asked
      asked.push(body)
      answer(response, body, request)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  open.push(() => close(server))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server }
}

function close(server: Server): Promise<unknown> {
  server.closeAllConnections()
  return new Promise(resolve => server.close(resolve))
}

async function gateway(presidio: object, clock = createFakeClock()): Promise<Harness> {
  const world = await harness({ plugins: [{ plugin: redact, config: { presidio } }], clock })
  open.push(() => world.stop())
  return world
}

async function sent(world: Harness, args: object): Promise<unknown> {
  const { refusal } = await world.call('s', 'put', args as { a: string })
  return refusal?.code ?? (world.upstream.received.at(-1)!.params.value as { arguments: unknown }).arguments
}

test('names and places are masked by their type; the analyzer is asked as its API wants it', async () => {
  const { url, asked } = await serve(well)
  const world = await gateway({ url, language: 'de', entities: ['PERSON', 'LOCATION'], minScore: 0.6 })
  expect(await sent(world, { a: 'Jürgen Müller aus Berlin', b: { c: ['Ann Smith, ann@example.com'] } })).toEqual({
    a: '[PERSON] aus [LOCATION]',
    b: { c: ['[PERSON], [EMAIL]'] },
  })
  // The result, which repeats the arguments, is looked at as well.
  expect(asked).toHaveLength(2)
  expect(asked.slice(0, 1)).toEqual([
    {
      text: ['Jürgen Müller aus Berlin', 'Ann Smith, ann@example.com'],
      language: 'de',
      score_threshold: 0.6,
      entities: ['PERSON', 'LOCATION'],
    },
  ])
})

test('offsets in code points are read as such, whatever stands before', async () => {
  const { url } = await serve(well)
  const world = await gateway({ url: `${url}/` })
  expect(await sent(world, { a: '\u{1f600}\u{1f468}\u200d\u{1f469} Ann Smith \u{1d54f} Berlin \u{1f600}', b: 'é Ann Smith' })).toEqual({
    a: '\u{1f600}\u{1f468}\u200d\u{1f469} [PERSON] \u{1d54f} [LOCATION] \u{1f600}',
    b: 'é [PERSON]',
  })
})

test('what scores low stays, and another action may be chosen', async () => {
  const { url } = await serve(well)
  expect(await sent(await gateway({ url }), { a: 'Ann Smith in May' })).toEqual({ a: '[PERSON] in May' })
  expect(await sent(await gateway({ url, minScore: 0.2 }), { a: 'Ann Smith in May' })).toEqual({ a: '[PERSON] in [DATE_TIME]' })
  expect(await sent(await gateway({ url, action: 'block' }), { a: 'Ann Smith' })).toBe('redaction-blocked')
})

const faults: Record<string, Answer> = {
  'its own error': response => response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"No matching recognizers"}'),
  'a bad request': response => response.writeHead(400).end('{"error":"Failed to parse /analyze request"}'),
  'a redirect': response => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  'no JSON': response => response.writeHead(200).end('<html>'),
  'half of an answer': response => void response.writeHead(200, { 'content-length': '100' }).write('[['),
  'a list for one text, as of a version without lists': response =>
    response.writeHead(200).end('[{"start":0,"end":3,"score":1,"entity_type":"PERSON"}]'),
  'too few lists': response => response.writeHead(200).end('[]'),
  'offsets beyond the text': response => response.writeHead(200).end('[[{"start":0,"end":999,"score":1,"entity_type":"PERSON"}]]'),
  'offsets as texts': response => response.writeHead(200).end('[[{"start":"0","end":"3","score":1,"entity_type":"PERSON"}]]'),
  'no score': response => response.writeHead(200).end('[[{"start":0,"end":3,"entity_type":"PERSON"}]]'),
  'a broken connection': response => void response.socket!.destroy(),
}

for (const [name, answer] of Object.entries(faults)) {
  test(`fails closed: ${name}`, async () => {
    const { url } = await serve((response, asked, request) => {
      answer(response, asked, request)
      if (name === 'half of an answer') setTimeout(() => response.socket?.destroy(), 20)
    })
    const world = await gateway({ url })
    expect(await sent(world, { a: 'Ann Smith' })).toBe('plugin-failed')
    expect(world.upstream.received).toEqual([])
  })
}

test('fails closed: the answer does not come in time, or nobody listens', async () => {
  const clock = createFakeClock()
  const { url, server } = await serve(() => void clock.advance(700))
  expect(await sent(await gateway({ url, deadlineMs: 700 }, clock), { a: 'Ann Smith' })).toBe('plugin-failed')
  await close(server)
  expect(await sent(await gateway({ url }), { a: 'Ann Smith' })).toBe('plugin-failed')
})

test('a mistake in its settings is named with its field', async () => {
  const issues = async (presidio: unknown): Promise<string[]> => {
    const checked = await redact.config['~standard'].validate({ presidio })
    return (checked.issues ?? []).map(({ path = [], message }) => `${path.map(String).join('.')}: ${message}`)
  }
  expect(await issues({ url: 'localhost' })).toEqual([
    'presidio.url: expected the http(s) address of an analyzer, such as http://127.0.0.1:5002',
  ])
  expect(await issues({ url: 'http://a', entities: ['person'] })).toEqual([
    'presidio.entities.0: expected the name of an entity of Presidio, such as PERSON',
  ])
  expect(await issues({ url: 'http://a', minScore: 2 })).toEqual([expect.stringMatching(/^presidio\.minScore: /)])
  expect(await issues({ url: 'http://a', key: 'x' })).toEqual([expect.stringMatching(/^presidio: .*key/)])
})
