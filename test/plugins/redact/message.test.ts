// Where the plugin masks in MCP messages, and what it leaves as it was sent.
import { Detectors, Masking } from 'mcpgw/plugin'
import { expect, test } from 'vitest'
import redact from '../../../plugins/redact/index.ts'
import { exchangeOf, notify, openStage, payloadOf, request, respond } from './stage.ts'

const card = '4111111111111111'
const stage = await openStage()

test('arguments are masked in strings, keys and numbers; name, token and clean members stay', async () => {
  const params = `{"name":"ann@example.com","arguments":{"to":"ann@example.com","deep":[{"ann@example.com":${card},"bob@example.com":1.50}],"n":7},"_meta":{"progressToken":"${card}","x":"${card}"}}`
  expect(await request(stage, exchangeOf(params))).toBe(
    '{"name":"ann@example.com","arguments":{"to":"[EMAIL]","deep":[{"[EMAIL]":0,"[EMAIL] 2":"exact 1.50"}],"n":7},"_meta":{"progressToken":"4111111111111111","x":"************1111"}}',
  )
})

test('a number is masked as 0 however it is written, and only where it is a finding', async () => {
  expect(
    await request(
      stage,
      exchangeOf(`{"arguments":{"a":4.111111111111111e15,"b":${card}.0,"c":1763703615123,"ssn":123456789,"id":123456789}}`),
    ),
  ).toBe('{"arguments":{"a":0,"b":0,"c":1763703615123,"ssn":0,"id":123456789}}')
})

test('escapes hide nothing', async () => {
  expect(
    await request(stage, exchangeOf('{"arguments":{"a":"ann\\u0040example.com","\\u0061nn@example.com":1,"u":"postgres:\\/\\/u:pw@db"}}')),
  ).toBe('{"arguments":{"a":"[EMAIL]","[EMAIL]":1,"u":"postgres://u:[PASSWORD]@db"}}')
  expect(
    await request(stage, exchangeOf('{"arguments":{"a":"line\\n4111111111111111\\nAKIAIOSFODNN7EXAMPLE\\t\\"ann@example.com\\""}}')),
  ).toBe('{"arguments":{"a":"line\\n************1111\\n[AWS_KEY]\\t\\"[EMAIL]\\""}}')
})

test('what has no finding passes as it is', async () => {
  expect(await request(stage, exchangeOf('{"name":"t","arguments":{"at":"2026-11-21T05:39:00Z","text":"a \\u00e9 \\"b\\""}}'))).toBe('pass')
  expect(await respond(stage, '{"content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}')).toBe('pass')
  expect(await request(stage, exchangeOf('{"clientInfo":{"name":"ann@example.com"}}', { kind: 'plumbing' }))).toBe('pass')
})

test('a result and its text twin are masked alike, and the twin stays the JSON document that it was', async () => {
  const data = `{"email":"ann@example.com","card":${card},"ssn":123456789,"n":[1.50]}`
  const pretty = `{\n  "email": "ann\\u0040example.com",\n  "card": ${card},\n  "ssn": 123456789,\n  "n": [1.50]\n}`
  const masked = JSON.parse(
    (await respond(stage, `{"content":[{"type":"text","text":${JSON.stringify(pretty)}}],"structuredContent":${data}}`))!,
  )
  expect(masked.content[0].text).toBe('{\n  "email": "[EMAIL]",\n  "card": 0,\n  "ssn": 0,\n  "n": [1.50]\n}')
  expect(masked.structuredContent).toEqual({ email: '[EMAIL]', card: 0, ssn: 0, n: ['exact 1.50'] })
})

test('members that have a finding as their name stay apart, in a result and in its text twin alike', async () => {
  const data = { 'a@b.co': 1, 'c@d.co': 2, '[EMAIL] 2': 3, deep: { 'a@b.co': 4 }, 'e@f.co': 5 }
  const shown = await respond(stage, JSON.stringify({ content: [{ type: 'text', text: JSON.stringify(data) }], structuredContent: data }))
  const { content, structuredContent } = JSON.parse(shown!) as { content: { text: string }[]; structuredContent: object }
  expect(structuredContent).toEqual({ '[EMAIL]': 1, '[EMAIL] 3': 2, '[EMAIL] 2': 3, deep: { '[EMAIL]': 4 }, '[EMAIL] 4': 5 })
  expect(JSON.parse(content[0]!.text)).toEqual(structuredContent)
})

test('in content blocks only text is masked: uris, types, names and binary data stay', async () => {
  const data = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...Buffer.from(`${card} ann@example.com!!`)]).toString('base64')
  const blocks = [
    { type: 'image', data, mimeType: 'image/png' },
    { type: 'resource', resource: { uri: 'mail://ann@example.com', text: 'ann@example.com', mimeType: 'text/plain' } },
    { type: 'resource_link', uri: 'mail://ann@example.com', name: 'ann@example.com', description: 'of ann@example.com' },
    { type: 'image', data: 'not base64: ann@example.com', mimeType: 'image/png' },
  ]
  const masked = JSON.parse((await respond(stage, JSON.stringify({ content: blocks })))!)
  expect(masked.content).toEqual([
    blocks[0],
    { type: 'resource', resource: { uri: 'mail://ann@example.com', text: '[EMAIL]', mimeType: 'text/plain' } },
    { type: 'resource_link', uri: 'mail://ann@example.com', name: 'ann@example.com', description: 'of [EMAIL]' },
    { type: 'image', data: 'not base64: [EMAIL]', mimeType: 'image/png' },
  ])
})

test('a value over two neighbouring text blocks is taken out of both', async () => {
  for (const [left, right] of [
    ['card 4111 1111', '1111 1111 ok'],
    ['card 411111', '1111111111 ok'],
    ['card 4111 1111 ', '1111 1111 ok'],
    ['card 4111\u200b1111', '\u200b11111111 ok'],
  ]) {
    const text = await respond(
      stage,
      JSON.stringify({
        content: [
          { type: 'text', text: left },
          { type: 'text', text: right },
        ],
      }),
    )
    const { content } = JSON.parse(text!)
    expect(content.map((block: { text: string }) => block.text)).toEqual(['card [CARD]', '[CARD] ok'])
  }
})

test('errors, prompts, resources and lists are masked; schemas only in their prose', async () => {
  expect(await respond(stage, `{"code":-32000,"message":"no ann@example.com","data":{"card":${card}}}`, 'error')).toBe(
    '{"code":-32000,"message":"no [EMAIL]","data":{"card":0}}',
  )
  expect(await respond(stage, '{"messages":[{"role":"user","content":{"type":"text","text":"ann@example.com"}}]}')).toBe(
    '{"messages":[{"role":"user","content":{"type":"text","text":"[EMAIL]"}}]}',
  )
  expect(await respond(stage, '{"contents":[{"uri":"u://ann@example.com","text":"ann@example.com"}]}')).toBe(
    '{"contents":[{"uri":"u://ann@example.com","text":"[EMAIL]"}]}',
  )
  // Whoever is given a masked task id cannot ask for the task.
  expect(await respond(stage, '{"task":{"taskId":"4111111111111111","status":"working","statusMessage":"for ann@example.com"}}')).toBe(
    '{"task":{"taskId":"4111111111111111","status":"working","statusMessage":"for [EMAIL]"}}',
  )
  const tool = (mail: string): string =>
    `{"tools":[{"name":"a@b.co","description":"${mail}","inputSchema":{"type":"object","properties":{"a@b.co":{"type":"string","enum":["a@b.co"],"description":"${mail}"},"description":{"type":"string","pattern":"a@b.co"}},"required":["a@b.co"]}}],"nextCursor":"a@b.co"}`
  expect(await respond(stage, tool('a@b.co'), 'result', exchangeOf('{}', { kind: 'list', of: 'tools' }))).toBe(tool('[EMAIL]'))
})

test('requests of a server to the client, and the answers to them, are masked', async () => {
  const method = { kind: 'method', server: 'files', method: 'sampling/createMessage' } as const
  const sampling =
    '{"messages":[{"role":"user","content":{"type":"text","text":"ann@example.com"}}],"systemPrompt":"ann@example.com","maxTokens":100}'
  expect(await request(stage, exchangeOf(sampling, method))).toBe(sampling.replaceAll('ann@example.com', '[EMAIL]'))
  expect(
    await request(
      stage,
      exchangeOf(
        '{"message":"Mail ann@example.com?","requestedSchema":{"type":"object","properties":{"a@b.co":{"type":"string"}}}}',
        method,
      ),
    ),
  ).toBe('{"message":"Mail [EMAIL]?","requestedSchema":{"type":"object","properties":{"a@b.co":{"type":"string"}}}}')
  expect(await respond(stage, '{"action":"accept","content":{"mail":"ann@example.com"}}')).toBe(
    '{"action":"accept","content":{"mail":"[EMAIL]"}}',
  )
})

test('notifications are masked, with an exchange and without one', async () => {
  expect(await notify(stage, 'notifications/message', `{"level":"info","logger":"a@b.co","data":{"to":"ann@example.com"}}`)).toBe(
    '{"level":"info","logger":"a@b.co","data":{"to":"[EMAIL]"}}',
  )
  const exchange = exchangeOf('{}')
  expect(
    await notify(stage, 'notifications/progress', `{"progressToken":"a@b.co","progress":1,"message":"ann@example.com"}`, exchange),
  ).toBe('{"progressToken":"a@b.co","progress":1,"message":"[EMAIL]"}')
  expect(await notify(stage, 'x/unknown', `{"any":["ann@example.com"]}`, exchange)).toBe('{"any":["[EMAIL]"]}')
  expect(exchange.notes.get('redact.redactions')).toEqual({ email: 2 })
})

test('findings of request and answer add up in the notes and in the counter', async () => {
  const own = await openStage()
  const exchange = exchangeOf(`{"arguments":{"a":"ann@example.com and bob@example.com ${card}"}}`)
  await request(own, exchange)
  await respond(own, '{"content":[{"type":"text","text":"ann@example.com"}]}', 'result', exchange)
  expect(exchange.notes.get('redact.redactions')).toEqual({ email: 3, card: 1 })
  expect(Object.fromEntries(own.counted)).toEqual({ email: 3, card: 1 })
})

test('an exempt server or tool is left alone by the detectors, not by the fields', async () => {
  const own = await openStage({ fields: ['$.pin'], exempt: { servers: ['mail'], tools: ['files__read'] } })
  const params = '{"arguments":{"to":"ann@example.com","pin":"1234"}}'
  const fieldOnly = '{"arguments":{"to":"ann@example.com","pin":"[REDACTED]"}}'
  expect(await request(own, exchangeOf(params, { kind: 'call', server: 'mail', tool: 'send' }))).toBe(fieldOnly)
  expect(await request(own, exchangeOf(params, { kind: 'call', server: 'files', tool: 'read' }))).toBe(fieldOnly)
  expect(await request(own, exchangeOf(params, { kind: 'call', server: 'files', tool: 'write' }))).toBe(
    '{"arguments":{"to":"[EMAIL]","pin":"[REDACTED]"}}',
  )
})

test('the masking service masks texts and values, returns what is clean, and withholds what it cannot mask', async () => {
  expect(redact.provides).toEqual([Masking, Detectors])
  expect(stage.masking.text('to ann@example.com')).toBe('to [EMAIL]')
  expect(stage.masking.value(payloadOf('{"name":"ann@example.com"}'))).toEqual(payloadOf('{"name":"[EMAIL]"}').value)
  const clean = payloadOf('{"a":[1,"b"]}')
  expect(stage.masking.value(clean)).toBeUndefined()
  const broken = {
    ...payloadOf('"ann@example.com"'),
    get value(): never {
      throw new Error('unreadable')
    },
  }
  expect(stage.masking.value(broken)).toBe('[WITHHELD]')
})

test('members that the protocol does not name are masked in their keys too, in results, blocks and _meta', async () => {
  expect(await respond(stage, `{"content":[{"type":"text","text":"x","${card}":1}],"ann@example.com":2,"_meta":{"${card}":3}}`)).toBe(
    '{"content":[{"type":"text","text":"x","************1111":1}],"[EMAIL]":2,"_meta":{"************1111":3}}',
  )
})

test('as many findings as keys as a message can hold are renamed in linear time, each to a key of its own', async () => {
  const patient = await openStage({ scan: { deadlineMs: 60_000 } })
  const keys = Array.from({ length: 20_000 }, (_, i) => `"a${i}@example.com":${i}`)
  const masked = JSON.parse((await respond(patient, `{"structuredContent":{${keys.join(',')},"[EMAIL] 3":"own"}}`))!) as {
    structuredContent: Record<string, unknown>
  }
  const { structuredContent } = masked
  expect(Object.keys(structuredContent)).toHaveLength(20_001)
  expect(structuredContent['[EMAIL] 3']).toBe('own')
})

test('what a client says to the questions of a server is masked, whatever the server calls them, and the keys and the state stay', async () => {
  const answers = {
    name: { action: 'accept', content: { mail: 'ann@example.com' } },
    'ann@example.com': { role: 'assistant', content: { type: 'text', text: card } },
  }
  const params = JSON.stringify({ name: 't', arguments: {}, inputResponses: answers, requestState: card })
  expect(JSON.parse((await request(stage, exchangeOf(params)))!)).toEqual({
    name: 't',
    arguments: {},
    inputResponses: {
      name: { action: 'accept', content: { mail: '[EMAIL]' } },
      'ann@example.com': { role: 'assistant', content: { type: 'text', text: '************1111' } },
    },
    requestState: card,
  })
  const asked = { id: { method: 'elicitation/create', params: { message: 'is it ann@example.com?' } } }
  expect(
    JSON.parse((await respond(stage, JSON.stringify({ resultType: 'input_required', inputRequests: asked, requestState: card })))!),
  ).toEqual({
    resultType: 'input_required',
    inputRequests: { id: { method: 'elicitation/create', params: { message: 'is it [EMAIL]?' } } },
    requestState: card,
  })
})
