// Syslog as a real receiver understands it: every field and every message, whatever is recorded; and what is lost with a receiver is sent again.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toRfc5424 } from '../../../../plugins/audit/exports/rfc5424.ts'
import { syslogTarget } from '../../../../plugins/audit/exports/syslog.ts'
import { call, createExchange, readRows, realClock, startGateway } from '../gateway.ts'
import { createCertificates, hasRsyslog, startRsyslog, type Understood } from './rsyslog.ts'
import { eventOf, samples } from './samples.ts'

const clock = { ...realClock, after: (ms: number, run: () => void) => realClock.after(ms === 3000 ? ms : ms / 100, run) }
const { signal } = new AbortController()
const bodies = (messages: readonly Understood[]) =>
  messages.map(({ msg }) => JSON.parse(msg) as { id: string; stream: string; seq: number })
const idsOf = (dir: string): string[] =>
  readRows(dir).flatMap(({ stream, seq, type }) => (type === 'audit.checkpoint' ? [] : [`${String(stream)}:${String(seq)}`]))

describe.skipIf(!hasRsyslog)('a real rsyslog', () => {
  test('understands every type of record: priority, time, host, names, structured data and message', async () => {
    const rsyslog = await startRsyslog()
    const target = syslogTarget({ url: `tcp://127.0.0.1:${rsyslog.port}`, ca: undefined, facility: 13, host: 'gw 1', timeout: 5000 })
    const lines = samples.map(({ id }) => `{"id":"${id}","text":"é\u{1f600}"}`)
    await target.deliver({ stream: 'gw.boot', from: 1, to: samples.length, events: samples, lines }, signal)
    await expect.poll(() => rsyslog.messages().length).toBe(samples.length)
    const messages = rsyslog.messages()
    expect(messages.map(({ msg }) => msg)).toEqual(lines)
    expect(messages.map(({ msgid }) => msgid)).toEqual(samples.map(({ record }) => record.type))
    expect(messages[0]).toMatchObject({
      pri: String(13 * 8 + 6),
      time: '2026-11-28T12:00:00.250Z',
      host: 'gw_1',
      app: 'mcpgw',
      procid: 'gw.boot',
      sd: { id: 'gw.boot:1', status: 'open', callId: 'c1', tenant: 'acme', subject: '0123456789abcdef01234567' },
    })
    expect(messages[3]?.pri).toBe(String(13 * 8 + 5))
  })

  test('takes nothing that is recorded for another field, or another message', async () => {
    const hostile = [
      '"',
      '\\',
      ']',
      ']"\\',
      'a"] [evil@1 x="y',
      '\n<34>1 - - - - - -',
      '\r\n10 <34>1 x',
      '\u2028\u202e',
      '{"level":"info"}',
      'é\u{1f600}',
    ]
    const rsyslog = await startRsyslog()
    const target = syslogTarget({ url: `tcp://127.0.0.1:${rsyslog.port}`, ca: undefined, facility: 13, host: 'gw', timeout: 5000 })
    const events = hostile.map((text, i) => eventOf('intent', { tenant: text, callId: text }, i + 1))
    await target.deliver({ stream: 'gw.boot', from: 1, to: events.length, events, lines: events.map(({ id }) => id) }, signal)
    await expect.poll(() => rsyslog.messages().length).toBe(hostile.length)
    expect(rsyslog.messages().map(({ sd, msg }) => [sd.id, msg])).toEqual(events.map(({ id }) => [id, id]))
    const shown = hostile.map(text => text.replace(/[\n\r\u2028\u202e]/g, char => `\\u{${char.codePointAt(0)!.toString(16)}}`))
    expect(rsyslog.messages().map(({ sd }) => sd.tenant)).toEqual(shown)
  })

  test('gets the whole log over TLS, in order; one whose certificate is of somebody else gets nothing', async () => {
    const certificates = createCertificates()
    const rsyslog = await startRsyslog(certificates)
    const syslog = `tls://127.0.0.1:${rsyslog.port}`
    const gateway = await startGateway({ clock, config: { exports: [{ syslog, ca: certificates.ca }] } })
    for (let n = 0; n < 20; n++) await call(gateway, createExchange())
    await gateway.stop()
    await expect.poll(() => bodies(rsyslog.messages()).at(-1)).toMatchObject({ type: 'stream.stop' })
    const ids = rsyslog.messages().flatMap(({ msgid, sd }) => (msgid === 'audit.checkpoint' ? [] : [sd.id]))
    expect(ids).toEqual(idsOf(gateway.dir))
    const before = rsyslog.messages().length
    const wary = await startGateway({ clock, config: { exports: [{ syslog, ca: createCertificates().ca }] } })
    await expect.poll(() => wary.health?.why).toMatch(/export syslog: .*certificate/)
    await wary.stop()
    expect(rsyslog.messages()).toHaveLength(before)
  })

  test('that is killed and started again gets all that it had not read, in order', async () => {
    let rsyslog = await startRsyslog()
    const { port, dir } = rsyslog
    const gateway = await startGateway({ clock, config: { exports: [{ syslog: `tcp://127.0.0.1:${port}` }] } })
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 20; n++) await call(gateway, createExchange())
      await rsyslog.kill()
      for (let n = 0; n < 20; n++) expect(await call(gateway, createExchange())).toBe('ok')
      await expect.poll(() => gateway.health?.why, { timeout: 5000 }).toContain('export syslog')
      rsyslog = await startRsyslog(undefined, port, dir)
      await expect.poll(() => gateway.health?.why, { timeout: 5000 }).not.toContain('export syslog')
    }
    await gateway.stop()
    await expect.poll(() => bodies(rsyslog.messages()).at(-1)).toMatchObject({ type: 'stream.stop' })
    let reached = 0
    for (const { seq } of bodies(rsyslog.messages())) {
      expect(seq).toBeLessThanOrEqual(reached + 1)
      reached = Math.max(reached, seq)
    }
    const got = new Set(bodies(rsyslog.messages()).map(({ id }) => id))
    expect(idsOf(gateway.dir).filter(id => !got.has(id))).toEqual([])
  }, 60_000)
})

test('a receiver that closes before it has read, or says nothing, has nothing', async () => {
  const manners = { closes: 'before it had read everything', hangs: 'did not take it within 100 ms' } as const
  for (const [manner, why] of Object.entries(manners)) {
    const server = createServer(socket => {
      socket.on('error', () => {})
      if (manner === 'closes') socket.destroy()
      else socket.pause()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    const target = syslogTarget({ url, ca: undefined, facility: 13, host: 'gw', timeout: 100 })
    const lines = samples.map(() => 'x'.repeat(1_000_000))
    await expect(target.deliver({ stream: 'gw.boot', from: 1, to: 9, events: samples, lines }, signal)).rejects.toThrow(
      new RegExp(`${why}|ECONNRESET|EPIPE`),
    )
    server.close()
  }
})

test('a receiver that closes each connection as it comes has nothing, however little there is to read', async () => {
  const server = createServer(socket => socket.on('error', () => {}).destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
  const target = syslogTarget({ url, ca: undefined, facility: 13, host: 'gw', timeout: 5000 })
  for (let attempt = 0; attempt < 20; attempt++)
    await expect(target.deliver({ stream: 'gw.boot', from: 1, to: 1, events: samples.slice(0, 1), lines: ['x'] }, signal)).rejects.toThrow(
      /before it had read everything|ECONNRESET|EPIPE/,
    )
  server.close()
})

test('a message has its parts by the grammar, whatever is recorded', () => {
  // Spec: RFC 5424, section 6.
  const grammar =
    /^<\d{1,3}>1 (-|\d{4}-\d\d-\d\dT[\d:.]+Z) [!-~]{1,255} mcpgw [!-~]{1,128} [!-~]{1,32} \[mcpgw@32473( [a-zA-Z]+="(?:[^"\\\]\p{Cc}]|\\["\\\]])*")*\] line$/u
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.integer(), (type, text, at) => {
      const event = eventOf(type, { tenant: text, callId: text, subject: text })
      const message = toRfc5424({ ...event, record: { ...event.record, stream: text, at: at * 1e6 } }, 'line', { facility: 23, host: text })
      expect(message).toMatch(grammar)
    }),
  )
})
