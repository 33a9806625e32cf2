// T48: what a server was given in secret, and personal data, echoed on every channel in several encodings, reach neither client nor files.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, type Product, runCli, startProduct, untilHealth } from './product.ts'
import { readRecords, verify } from './records.ts'
import { initialize, openSession, post, speakLines } from './rpc.ts'
import { leakyServer, type ServerEntry } from './servers.ts'

const SECRET = 'tqz-81f0/kept+in the=store-"5c2e"'
const CARD = '4111 1111 1111 1111'
const EMAIL = 'ada.lovelace@example.com'
const SSN = '536-90-4399'

/** The spellings of a secret that the leaky server uses, whole or in part. */
function spellingsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  const inside = Buffer.from(`prefix ${value} suffix`).toString('base64')
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    JSON.stringify(JSON.stringify(value)).slice(3, -3),
    bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
    inside.slice(12, 40),
    ...[0, 1, 2].map(before => insideBase64(value, before)),
    encodeURIComponent(value),
    bytes.toString('hex'),
    Array.from(value, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    value.slice(0, 14),
  ]
}

/** At another offset in what is encoded, base64 spells the same bytes in other characters. */
function insideBase64(value: string, before: number): string {
  const text = Buffer.from('x'.repeat(before) + value).toString('base64')
  return text.slice(8, Math.floor(((before + value.length) * 8) / 6))
}

type Ask = (method: string, params?: object) => Promise<unknown>

/** Everything that the server can say to a client, asked for once. */
async function askEverything(ask: Ask): Promise<void> {
  for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) await ask(method)
  for (const name of ['result', 'structured', 'failing', 'error', 'embedded', 'stderr', 'notify'])
    await ask('tools/call', { name: `leaky__${name}`, arguments: {}, _meta: { progressToken: name } })
  await ask('resources/read', { uri: 'leak://one' })
  await ask('prompts/get', { name: 'leaky__ask' })
  await ask('completion/complete', { ref: { type: 'ref/prompt', name: 'leaky__ask' }, argument: { name: 'x', value: '' } })
  await ask('logging/setLevel', { level: 'debug' })
  await ask('tools/call', { name: 'leaky__die', arguments: {} })
}

async function readOperations({ origin }: Product): Promise<string> {
  const texts = ['healthz', 'readyz', 'metrics'].map(async path => (await fetch(`${origin}/${path}`)).text())
  return (await Promise.all(texts)).join('\n')
}

/** All that lies in the data directory, but for the store of secrets itself. */
function readDataFiles(dir: string): string {
  return readdirSync(join(dir, '.mcpgw'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.endsWith('secrets'))
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

interface Heard {
  readonly client: string
  readonly operations: string
  readonly log: string
  readonly files: string
}

/** Lets the server say everything over one transport and gathers what came out. */
async function hearAll(server: ServerEntry, way: 'http' | 'stdio'): Promise<Heard & { dir: string }> {
  const dir = createFolder()
  mkdirSync(join(dir, '.mcpgw/secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, '.mcpgw/secrets/token'), SECRET, { mode: 0o600 })
  const config = { servers: [{ id: 'leaky', ...server }], plugins: ['audit', 'redact'], log: 'debug' }
  const http = ['--http', '127.0.0.1:0']
  const product = await startProduct({ dir, config, args: way === 'http' ? http : ['--stdio', ...http] })
  let client = ''
  if (way === 'http') {
    const opened = await post(product.origin, initialize())
    const session = await openSession(product.origin)
    client = opened.text
    await askEverything(async (method, params) => {
      client += `\n${JSON.stringify(await session.hear(method, params))}`
    })
  } else await askEverything((await speakLines(product)).ask)
  await untilHealth(product.origin, health => (health.servers[0]?.restarts ?? 0) > 0)
  const operations = await readOperations(product)
  await product.stop()
  return { client: client + product.wrote(), operations, log: product.said(), files: readDataFiles(dir), dir }
}

describe.skipIf(!isBuilt)('what a server leaks', () => {
  test('its secret is marked once for each of its spellings on each way to a client', async () => {
    const dir = createFolder()
    mkdirSync(join(dir, '.mcpgw/secrets'), { recursive: true, mode: 0o700 })
    writeFileSync(join(dir, '.mcpgw/secrets/token'), SECRET, { mode: 0o600 })
    const servers = [{ id: 'leaky', ...leakyServer('${secret:token}', 'encoded') }]
    const product = await startProduct({ dir, config: { servers, plugins: [], listen: '127.0.0.1:0' } })
    const session = await openSession(product.origin)
    const call = (name: string) => ['tools/call', { name: `leaky__${name}`, arguments: {}, _meta: { progressToken: name } }] as const
    const ways = [
      ['tools/list', {}],
      ['resources/list', {}],
      ['resources/templates/list', {}],
      ['prompts/list', {}],
      ['resources/read', { uri: 'leak://one' }],
      ['prompts/get', { name: 'leaky__ask' }],
      ['completion/complete', { ref: { type: 'ref/prompt', name: 'leaky__ask' }, argument: { name: 'x', value: '' } }],
      ...['result', 'structured', 'failing', 'error', 'embedded', 'notify'].map(call),
    ] as const
    for (const [method, params] of ways) {
      const heard = JSON.stringify(await session.hear(method, params))
      const marks = heard.split('[SECRET leaky]').length - 1
      expect(marks, `${method} ${JSON.stringify(params)}`).toBeGreaterThanOrEqual(8)
      for (const spelling of spellingsOf(SECRET)) expect(heard.includes(spelling), `${method}: ${spelling}`).toBe(false)
    }
    await product.stop()
    for (const spelling of spellingsOf(SECRET)) expect(product.said().includes(spelling), spelling).toBe(false)
  })

  test.each(['http', 'stdio'] as const)('over %s: its secret, in every spelling, stays inside', async way => {
    const heard = await hearAll(leakyServer('${secret:token}', 'encoded'), way)
    // Every channel was heard.
    for (const text of [
      '"isError":true',
      'structuredContent',
      '-32050',
      'leak://one',
      '"told"',
      '"written"',
      'progressToken',
      'notifications/message',
    ])
      expect(heard.client).toContain(text)
    expect(heard.client).toContain('[SECRET leaky]')
    expect(heard.log).toContain('token is ')
    for (const [channel, text] of Object.entries(heard))
      for (const spelling of spellingsOf(SECRET)) expect(text.includes(spelling), `${channel}: ${spelling}`).toBe(false)
    expect(verify(heard.dir).code).toBe(4)
  })

  test.each(['http', 'stdio'] as const)(
    'over %s: a card, an address and a social security number are masked on every channel',
    async way => {
      const heard = await hearAll(leakyServer(`${CARD} and ${EMAIL} and ${SSN}`, 'text'), way)
      expect(heard.client).toContain('structuredContent')
      for (const [channel, text] of Object.entries(heard)) {
        for (const found of [CARD, CARD.replaceAll(' ', ''), EMAIL, encodeURIComponent(EMAIL), SSN])
          expect(text.includes(found), `${channel}: ${found}`).toBe(false)
      }
      const counted = readRecords(heard.dir).flatMap(record => Object.keys((record as { redactions?: object }).redactions ?? {}))
      expect(new Set(counted).size).toBeGreaterThanOrEqual(3)
    },
  )

  test('what a client sends is masked before the server and the record see it, and comes back masked', async () => {
    const dir = createFolder()
    const product = await startProduct({
      dir,
      config: { servers: [{ id: 'leaky', ...leakyServer('', 'text') }], plugins: ['audit', 'redact'] },
    })
    const session = await openSession(product.origin)
    const answer = JSON.stringify(
      await session.call('leaky__repeat', { card: CARD, deep: [{ mail: EMAIL }], [SSN]: 'ssn', plain: 'order 12345678' }),
    )
    expect(answer).toContain('order 12345678')
    await product.stop()
    const files = readDataFiles(dir) + JSON.stringify(readRecords(dir))
    expect(files).toContain('order 12345678')
    for (const found of [CARD, EMAIL, SSN]) expect(answer + files).not.toContain(found)
  })

  test('a secret in the arguments of a server is refused, as others can read them', () => {
    const dir = createFolder({ 'mcpgw.yaml': 'servers:\n  - {id: a, command: node, args: ["--token", "${secret:token}"]}\n' })
    const { code, err } = runCli(['run'], dir)
    expect(code).toBe(2)
    expect(err).toContain('error[secret-refused]')
  })
})
