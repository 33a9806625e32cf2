// What PCI DSS 4.0 wants in an audit log: each kind of event of 10.2.1.1 to 10.2.1.7, and in each record the six facts of 10.2.2.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFolder, isBuilt, runCli, startProduct } from './product.ts'
import { readRecords, type ShownRecord } from './records.ts'
import { initialize, openSession, post } from './rpc.ts'
import { oddServer } from './servers.ts'

interface Requirement {
  readonly name: string
  /** Each is found at least once. */
  readonly events: readonly ((record: ShownRecord) => boolean)[]
}

const ofType = (type: string) => (record: ShownRecord) => record.type === type
const REQUIREMENTS: readonly Requirement[] = [
  { name: '10.2.1.1 individual access to data', events: [ofType('intent'), ofType('outcome')] },
  {
    name: '10.2.1.2 actions with administrative access',
    events: [ofType('config.load'), ofType('policy.reload'), ofType('policy.reload-refused'), ofType('config.refused')],
  },
  { name: '10.2.1.3 access to audit logs', events: [ofType('log.read'), ofType('log.export'), ofType('log.verify')] },
  { name: '10.2.1.4 invalid logical access attempts', events: ['bad-credential', 'unauthenticated', 'denied', 'not-found'].map(refusedAs) },
  { name: '10.2.1.5 changes to credentials', events: [ofType('key.create'), ofType('key.revoke')] },
  {
    name: '10.2.1.6 initialising, starting and stopping of logs',
    events: [ofType('stream.start'), ofType('gateway.start'), ofType('gateway.stop'), ofType('stream.stop')],
  },
  {
    name: '10.2.1.7 creation and deletion of system-level objects',
    events: [ofType('plugin.load'), ofType('policy.load'), ofType('server.start'), ofType('server.exit'), ofType('server.restart')],
  },
]

function refusedAs(code: string): (record: ShownRecord) => boolean {
  return ({ type, decision }) => type === 'refusal' && decision?.code === code
}

/** What the log writes of itself: the gateway is its user, and gateway.start tells whose gateway it is. */
const OWN = /^(stream\.(start|stop)|audit\.(checkpoint|recovered)|clock\.step)$/

/** The facts of 10.2.2, as far as the record and the intent of the same call say them. */
function readFacts(record: ShownRecord, records: readonly ShownRecord[]): Record<string, unknown> {
  const { type, at, actor, success, decision, outcome, source, transport, stream, server, tool, action, http, detail } = record
  const intent = records.find(one => one.type === 'intent' && one.callId === record.callId && record.callId !== undefined)
  const user = OWN.test(type) ? 'system' : (actor?.id ?? (source === undefined ? undefined : `unknown, at ${source.ip}`))
  return {
    'user identification': user,
    'type of event': type,
    'date and time': at === undefined || Number.isNaN(new Date(at).getTime()) ? undefined : at,
    'success or failure': success ?? outcome ?? decision?.outcome ?? (OWN.test(type) ? true : undefined),
    origination: source?.ip ?? intent?.source?.ip ?? transport ?? stream,
    'what was affected': tool ?? server ?? http?.path ?? action ?? detail ?? stream,
  }
}

/** One run of a gateway in which everything happens that must be on record. */
async function liveThroughAll(): Promise<string> {
  const dir = createFolder({ 'a.policy': POLICY })
  const config = {
    servers: [{ id: 'odd', ...oddServer() }],
    policies: ['a.policy'],
    plugins: ['audit', 'auth', 'policy', 'redact'],
  }
  // Refused: nobody may decide before it is known who asks.
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify({ ...config, plugins: ['audit', 'policy', 'auth', 'redact'] }))
  expect(runCli(['run', '--http', '127.0.0.1:0'], dir).code).toBe(2)
  writeFileSync(join(dir, 'mcpgw.yaml'), JSON.stringify(config))
  const made = runCli(['keys', 'create', 'An agent', 'agent-1', 'reader', '--json'], dir)
  const { id, key } = JSON.parse(made.out) as { id: string; key: string }

  const product = await startProduct({ dir, config })
  const credential = ['Authorization', `Bearer ${key}`]
  const session = await openSession(product.origin, credential)
  await session.call('odd__echo', { account: 'of the customer' })
  await session.call('odd__pid')
  await session.call('odd__exit')
  await session.call('odd__echo', { after: 'the restart' })
  for (const headers of [[], ['Authorization', 'Bearer nonsense']]) await post(product.origin, initialize(), { headers })
  await post(product.origin, initialize(), { path: '/elsewhere', headers: credential })
  writeFileSync(join(dir, 'a.policy'), 'this is no policy')
  await product.hears('policies refused at reload')
  writeFileSync(join(dir, 'a.policy'), `${POLICY}\n# changed\n`)
  await product.hears('policies reloaded')
  expect(runCli(['keys', 'revoke', id], dir).code).toBe(0)
  await product.stop()
  for (const [verb, code] of [
    ['log', 0],
    ['export', 0],
    ['verify', 4],
  ] as const)
    expect(runCli(['audit', verb], dir).code).toBe(code)
  return dir
}

const POLICY = `policy "all" edition 1 owner "people@acme.example"

allow reading {
  who   role reader
  call  odd/echo, odd/exit
}
`

describe.skipIf(!isBuilt)('PCI DSS 10.2', () => {
  test('each kind of event is on record, each record with its six facts', { timeout: 120_000 }, async () => {
    const records = readRecords(await liveThroughAll())
    const missing = REQUIREMENTS.flatMap(({ name, events }) => events.flatMap((is, i) => (records.some(is) ? [] : [`${name} #${i + 1}`])))
    expect(missing).toEqual([])
    const wanting = records.flatMap(record => {
      const facts = Object.entries(readFacts(record, records)).filter(([, value]) => value === undefined || value === '')
      return facts.map(([fact]) => `${record.type}: ${fact}`)
    })
    expect([...new Set(wanting)]).toEqual([])
    const { actor } = records.find(ofType('key.create'))!
    expect(actor).toEqual({ id: expect.stringMatching(/^cli:./), method: 'os-user', uid: process.getuid?.() })
    expect(records.filter(ofType('key.create'))).toHaveLength(1)
  })
})
