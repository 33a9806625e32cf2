// The settings: defaults, units, and that nothing unknown or out of range passes.
import { expect, test } from 'vitest'
import { parseConfig } from './gateway.ts'

test('without settings a record is fsynced within 2 s, or the call is refused', async () => {
  expect(await parseConfig({})).toEqual({
    path: 'audit.db',
    durability: 'full',
    deadline: 2000,
    onAuditFailure: 'deny',
    maxRecordBytes: 65_536,
    content: 'args',
    checkpoints: { records: 1000, every: 60_000 },
    anchors: [],
    anchorLag: 300_000,
    exports: [],
  })
})

test.each([
  ['2s', 2000],
  ['500ms', 500],
  ['0.5 s', 500],
  ['1m', 60_000],
  [250, 250],
])('deadline %j is %d ms', async (deadline, ms) => {
  expect((await parseConfig({ deadline })).deadline).toBe(ms)
})

test.each([
  { unknown: 1 },
  { durability: 'none' },
  { deadline: '2' },
  { deadline: '2h' },
  { deadline: 0 },
  { deadline: '5m' },
  { deadline: Number.NaN },
  { path: '' },
  { path: ':memory:' },
  { maxRecordBytes: 10 },
  { maxRecordBytes: 2048.5 },
  { onAuditFailure: 'ignore' },
])('%j is an error', async value => {
  await expect(parseConfig(value)).rejects.toThrow(/\w/)
})

const hook = 'https://siem.example/mcpgw'

test('an export has a name of its own, all records, and names but no contents', async () => {
  expect((await parseConfig({ exports: [{ webhook: hook }] })).exports).toEqual([
    {
      name: 'webhook',
      receiver: { kind: 'webhook', url: hook, headers: {}, secret: undefined, timeout: 10_000 },
      form: 'mcpgw',
      records: undefined,
      names: true,
      contents: false,
    },
  ])
})

test.each<[unknown, string]>([
  [{}, 'expected one of webhook, file, syslog, otlp'],
  [{ webhook: hook, contnets: true }, 'Unrecognized key: "contnets"'],
  [{ webhook: hook, form: 'cvs' }, 'form: Invalid option'],
  [{ webhook: hook, secret: 'short' }, 'expected at least 16 characters'],
  [{ webhook: hook, file: 'x' }, 'Unrecognized key: "file"'],
  [{ webhook: 'http://siem.example/' }, 'expected https://; where the way there is safe by other means, say insecure: true'],
  [{ webhook: 'https://user:word@siem.example/' }, 'expected an address without a password in it'],
  [{ webhook: 'ftp://siem.example/' }, 'expected an address with https://'],
  [{ syslog: 'tcp://siem.example' }, 'expected tls://; where the way there is safe by other means, say insecure: true'],
  [{ syslog: 'udp://siem.example' }, 'expected an address with tls://'],
  [{ syslog: 'siem.example:6514' }, 'expected an address with tls://'],
  [{ syslog: 'tls://siem.example', facility: 'kernel' }, 'Invalid option'],
  [{ otlp: 'http://collector.example:4318/v1/logs' }, 'expected https://'],
  [{ webhook: hook, name: 'My Export' }, 'expected lower case letters'],
  [{ file: 'x', form: 'evidence', contents: true }, 'form evidence: is every record as it is stored'],
  [{ file: 'x', form: 'evidence', records: ['outcome'] }, 'form evidence: is every record as it is stored'],
])('the export %j is an error that says %s', async (one, message) => {
  await expect(parseConfig({ exports: [one] })).rejects.toThrow(message)
})

test('a way without encryption is taken on the machine itself, or where it is said to be safe', async () => {
  const exports = [
    { webhook: 'http://127.0.0.1:8080/' },
    { name: 'b', webhook: 'http://[::1]:8080/' },
    { name: 'c', webhook: 'http://siem.internal/', insecure: true },
  ]
  expect((await parseConfig({ exports })).exports).toHaveLength(3)
  await expect(parseConfig({ exports: [{ webhook: 'http://localhost.example/' }] })).rejects.toThrow('expected https')
  await expect(parseConfig({ exports: [{ webhook: hook }, { webhook: hook }] })).rejects.toThrow('there are two exports called webhook')
})
