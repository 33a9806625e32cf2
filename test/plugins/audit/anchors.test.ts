// Anchors: what a place refuses is tried again until it has the newest, and health says when a checkpoint has waited for too long.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAnchors } from '../../../plugins/audit/anchors.ts'
import { ACCESS, type Behaviour, BUCKET, REGION, type Store, startStore } from '../../s3/fake.ts'
import { createCertificates, hasRsyslog, startRsyslog } from './exports/rsyslog.ts'
import { call, createExchange, type Gateway, realClock, runCommand, startGateway, tempDir } from './gateway.ts'

test('a webhook that fails gets the newest note in the end; until then health says what is late', async () => {
  const got: string[] = []
  let status = 500
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      if (status === 200) got.push(`${request.headers.authorization} ${body}`)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lags: number[] = []
  const healths: (string | undefined)[] = []
  const silent = (): void => {}
  const metric = { inc: silent, set: (value: number) => void lags.push(value), observe: silent }
  const anchors = createAnchors([{ webhook: `http://127.0.0.1:${port}/hook?token=secret`, headers: { authorization: 'Bearer x' } }], {
    clock: { ...realClock, now: () => 10_000, after: (_ms, run) => realClock.after(1, run) },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: { counter: () => metric, gauge: () => metric, histogram: () => metric },
    maxLag: 5000,
    host: 'gw',
    resolve: path => path,
    onHealth: why => void healths.push(why),
  })
  anchors.offer({ text: 'first', at: 1000 })
  await expect.poll(() => healths.at(-1)).toBe(`no checkpoint of the last 9 s is anchored in http://127.0.0.1:${port}/hook: answered 500`)
  expect(lags.at(-1)).toBe(9)
  anchors.offer({ text: 'second', at: 9000 })
  status = 200
  await expect.poll(() => got.at(-1)).toBe('Bearer x second')
  await expect.poll(() => healths.at(-1)).toBeUndefined()
  expect(lags.at(-1)).toBe(0)
  await anchors.close(100)
  server.closeAllConnections()
  server.close()
})

/** Waits are a hundredth of what they are, but for what a stop waits. */
const quickly = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
const checkpoints = { records: 5, every: '1s' }

async function run(anchors: object[], dir = tempDir()): Promise<Gateway> {
  const gateway = await startGateway({ clock: quickly, dir, config: { checkpoints, anchors, anchorLag: '1s' } })
  for (let n = 0; n < 12; n++) expect(await call(gateway, createExchange())).toBe('ok')
  return gateway
}

/** With what was kept elsewhere the log is proven to its end. */
async function expectProven(dir: string, notes: string): Promise<void> {
  const file = join(dir, 'notes.txt')
  writeFileSync(file, notes)
  const verifier = readFileSync(join(dir, readdirSync(dir).find(name => name.endsWith('.verifier'))!), 'utf8')
  const { code, out, err } = await runCommand(dir, 'audit verify', { checkpoint: file, key: verifier.trim() })
  expect(code, `${out}\n${err}`).toBe(0)
}

describe('an anchor in an object store', () => {
  const bucket = ({ url }: Store, more: object = {}) => ({
    s3: `s3://${BUCKET}/anchors`,
    region: REGION,
    endpoint: url,
    pathStyle: true,
    timeout: 300,
    ...ACCESS,
    ...more,
  })
  const notesIn = (store: Store): string[] => store.objects().map(({ body }) => body.toString())

  test('has each note as an object of its own, locked, in the order of time; with them the log is proven', async () => {
    const store = await startStore()
    const gateway = await run([bucket(store, { objectLock: { mode: 'compliance', days: 400 } })])
    await gateway.stop()
    const again = await run([bucket(store, { objectLock: { mode: 'compliance', days: 400 } })], gateway.dir)
    await again.stop()
    const notes = notesIn(store)
    expect(notes.length).toBeGreaterThan(3)
    const times = notes.map(note => Number(/^at (\d+)$/m.exec(note)?.[1]))
    expect(times).toEqual([...times].sort((a, b) => a - b))
    for (const { key, contentType, lock } of store.objects()) {
      expect(key).toMatch(/^anchors\/mcpgw\/audit\/[0-9a-f]{16}\/\d{16}-[0-9a-f]{32}\.txt$/)
      expect(contentType).toBe('text/plain; charset=utf-8')
      expect(lock?.mode).toBe('COMPLIANCE')
      expect(store.remove(key)).toBe('AccessDenied')
    }
    await expectProven(gateway.dir, notes.join(''))
    expect(store.forgeries).toEqual([])
  })

  test.each<Behaviour>(['error', 'conflict', 'forbidden', 'html', 'silent', 'cut', 'stored-cut', 'stored-error'])(
    'that answers with %s has the newest note in the end; until then health says what is late, and calls go on',
    async behaviour => {
      const store = await startStore()
      store.behave(behaviour)
      const gateway = await run([bucket(store)])
      await expect.poll(() => gateway.health?.why, { timeout: 10_000 }).toMatch(/is anchored in s3:\/\/acme-audit\/anchors\/: \w/)
      expect(await call(gateway, createExchange())).toBe('ok')
      store.behave('good')
      await expect.poll(() => gateway.health?.why, { timeout: 10_000 }).not.toContain('anchored')
      await gateway.stop()
      await expectProven(gateway.dir, notesIn(store).at(-1)!)
      expect(gateway.logged.join()).not.toMatch(/AKID|wJalr|secret words/)
    },
  )
})

test('what an export of the form evidence and an anchor left in an object store verifies, each line taken once, with nothing else at hand', async () => {
  const store = await startStore()
  // Of the first gateway one object lies there, which it never knows; the next one brings its records in another batch.
  let puts = 0
  store.behave((_method, key) => (!key.startsWith('logs/') ? 'good' : puts++ === 0 ? 'stored-cut' : 'silent'))
  const to = { region: REGION, endpoint: store.url, pathStyle: true, ...ACCESS }
  const config = {
    checkpoints,
    anchors: [{ s3: `s3://${BUCKET}/anchors`, ...to }],
    exports: [{ s3: `s3://${BUCKET}/logs`, form: 'evidence', every: '1s', ...to }],
  }
  const dir = tempDir()
  for (let boot = 0; boot < 3; boot++) {
    const gateway = await startGateway({ clock: quickly, dir, config })
    await expect.poll(() => puts).toBeGreaterThan(0)
    for (let n = 0; n < 12; n++) expect(await call(gateway, createExchange())).toBe('ok')
    await gateway.stop()
    store.behave('good')
  }
  const textOf = (prefix: string): string =>
    store
      .objects()
      .flatMap(({ key, body }) => (key.startsWith(prefix) ? [body.toString()] : []))
      .join('')
  const away = tempDir()
  const lines = textOf('logs/').split(/(?<=\n)/)
  expect(lines.length).toBeGreaterThan(new Set(lines).size)
  writeFileSync(join(away, 'log.jsonl'), [...new Set(lines)].join(''))
  writeFileSync(join(away, 'notes.txt'), textOf('anchors/'))
  const key = readFileSync(join(dir, readdirSync(dir).find(name => name.endsWith('.verifier'))!), 'utf8').trim()
  const { code, out, err } = await runCommand(away, 'audit verify', { checkpoint: 'notes.txt', key }, { args: ['log.jsonl'] })
  expect(code, `${out}\n${err}`).toBe(0)
})

describe('an anchor in syslog', () => {
  test.skipIf(!hasRsyslog)(
    'has each note as a message over TLS, which a real rsyslog reads; with its texts the log is proven',
    async () => {
      const certificates = createCertificates()
      const rsyslog = await startRsyslog(certificates)
      const gateway = await run([{ syslog: `tls://127.0.0.1:${rsyslog.port}`, ca: certificates.ca, facility: 'local3' }])
      await gateway.stop()
      const messages = (): { pri: string; app: string; procid: string; msgid: string; msg: string }[] => rsyslog.messages()
      await expect.poll(() => messages().length).toBeGreaterThan(1)
      for (const { pri, app, procid, msgid } of messages())
        expect({ pri, app, procid, msgid }).toEqual({
          pri: String(19 * 8 + 6),
          app: 'mcpgw',
          msgid: 'checkpoint',
          procid: expect.stringMatching(/^mcpgw\/audit\/[0-9a-f]{16}$/),
        })
      await expectProven(
        gateway.dir,
        messages()
          .map(({ msg }) => `${msg}\n`)
          .join(''),
      )
    },
  )

  test('that closes before it has read has nothing, and health says so', async () => {
    const server = createTcp(socket => socket.on('error', () => {}).destroy())
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    const gateway = await run([{ syslog: url }])
    await expect.poll(() => gateway.health?.why, { timeout: 10_000 }).toContain(`is anchored in ${url}: `)
    await gateway.stop()
    server.close()
  })
})
