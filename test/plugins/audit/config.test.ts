// The settings: defaults, units, and that nothing unknown or out of range passes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseConfig, startGateway, tempDir } from './gateway.ts'

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
const lake = { s3: 's3://acme-audit/mcpgw/logs/', region: 'eu-central-1' }

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
  [{}, 'expected one of webhook, file, syslog, otlp, s3'],
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
  // It would send nothing, and look well.
  [{ webhook: hook, records: ['outcomes'] }, 'expected a type of record, such as intent, outcome, refusal, erasure or refusal.repeated'],
  [{ webhook: hook, name: 'My Export' }, 'expected lower case letters'],
  [{ ...lake, s3: 'acme-audit' }, 'expected s3://BUCKET or s3://BUCKET/PREFIX'],
  [{ ...lake, s3: 's3://Acme/x' }, 'expected s3://BUCKET'],
  [{ ...lake, s3: 's3://acme-audit/../x' }, 'expected s3://BUCKET'],
  [{ ...lake, s3: 's3://acme-audit//x' }, 'expected s3://BUCKET'],
  [{ ...lake, s3: 's3://acme--euc1-az1--x-s3/x' }, 'expected s3://BUCKET'],
  [{ s3: 's3://acme-audit' }, 'region: Invalid input'],
  [{ ...lake, region: 'eu.central' }, 'expected a region such as eu-central-1'],
  [{ ...lake, accessKeyId: 'AK' }, 'expected accessKeyId and secretAccessKey, or neither'],
  [{ ...lake, secretAccessKey: 'sk' }, 'expected accessKeyId and secretAccessKey, or neither'],
  [{ ...lake, sessionToken: 'st' }, 'expected accessKeyId and secretAccessKey, or neither'],
  [{ ...lake, endpoint: 'http://minio.example:9000' }, 'endpoint: expected https://; where the way there is safe by other means'],
  [{ ...lake, endpoint: 'https://minio.example/store' }, 'endpoint: expected an address without a path'],
  [{ ...lake, endpoint: 'https://me:word@minio.example' }, 'endpoint: expected an address without a password in it'],
  [{ ...lake, objectLock: { mode: 'legal', days: 1 } }, 'Invalid option'],
  [{ ...lake, objectLock: { mode: 'governance', days: 0 } }, 'Too small: expected number to be >=1'],
  [{ ...lake, every: '0.5s' }, 'expected at least 1 s'],
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

test('a bucket is given with its prefix; by itself nothing is locked, and credentials are found as other tools find them', async () => {
  const { exports } = await parseConfig({
    exports: [lake, { ...lake, name: 'b', s3: 's3://acme-audit', endpoint: 'https://minio.example' }],
  })
  const settings = { kind: 's3', region: 'eu-central-1', pathStyle: false, timeout: 10_000, every: 60_000 }
  const nothing = { credentials: undefined, objectLock: undefined }
  expect(exports.map(one => one.receiver)).toEqual([
    { ...settings, ...nothing, bucket: 'acme-audit', prefix: 'mcpgw/logs/', endpoint: undefined },
    { ...settings, ...nothing, bucket: 'acme-audit', prefix: '', endpoint: 'https://minio.example' },
  ])
})

test('anchors are of four kinds, each with settings of its own', async () => {
  const keys = { accessKeyId: 'AK', secretAccessKey: 'sk' }
  const anchors = [
    { file: 'a.txt' },
    { webhook: hook },
    { syslog: 'tls://siem.example', facility: 'local0' },
    { ...lake, ...keys, objectLock: { mode: 'compliance', days: 400 } },
  ]
  expect((await parseConfig({ anchors })).anchors).toEqual([
    { file: 'a.txt' },
    { webhook: hook },
    { syslog: { url: 'tls://siem.example', ca: undefined, facility: 16, timeout: 10_000 } },
    {
      s3: {
        bucket: 'acme-audit',
        prefix: 'mcpgw/logs/',
        region: 'eu-central-1',
        endpoint: undefined,
        pathStyle: false,
        timeout: 10_000,
        credentials: keys,
        objectLock: { mode: 'COMPLIANCE', days: 400 },
      },
    },
  ])
})

test.each<[unknown, string]>([
  [{}, 'expected one of file, webhook, syslog, s3'],
  [{ webhook: 'ftp://siem.example' }, 'expected an address with https://'],
  [{ webhook: 'http://siem.example' }, 'expected https://; where the way there is safe by other means, say insecure: true'],
  [{ file: 'a.txt', webhook: hook }, 'Unrecognized key: "webhook"'],
  [{ syslog: 'tcp://siem.example' }, 'expected tls://; where the way there is safe by other means, say insecure: true'],
  [{ ...lake, every: '1s' }, 'Unrecognized key: "every"'],
  [{ ...lake, endpoint: 'minio.example' }, 'endpoint: expected an address with https://'],
])('the anchor %j is an error that says %s', async (one, message) => {
  await expect(parseConfig({ anchors: [one] })).rejects.toThrow(message)
})

test.each([
  [{ exports: [{ file: 'audit.db' }] }, 'exports[0].file: expected a file of its own, found '],
  [{ exports: [{ webhook: hook }, { file: './x/../audit.db-wal' }] }, 'exports[1].file: expected a file of its own, found '],
  [{ anchors: [{ file: 'audit.db.key' }] }, 'anchors[0].file: expected a file of its own, found '],
  [{ signingKey: 'sign.pem', anchors: [{ file: 'sign.pem' }] }, 'anchors[0].file: expected a file of its own, found '],
  [
    { anchors: [{ file: 'out.txt' }], exports: [{ file: './out.txt' }] },
    'exports[0].file: expected a file of its own, found that of anchors[0].file',
  ],
])('%j does not start: nothing is appended to what is not meant for it, least of all to the log', async (config, message) => {
  const dir = tempDir()
  await expect(startGateway({ dir, config })).rejects.toThrow(message)
  expect(readdirSync(dir)).toEqual([])
})

test('files that only begin as the log does are files of their own', async () => {
  const gateway = await startGateway({
    dir: tempDir(),
    config: { anchors: [{ file: 'audit.db.anchor' }], exports: [{ file: 'audit.db.jsonl' }] },
  })
  await gateway.stop()
})

test('a file that is a database, of whichever plugin, is not appended to', async () => {
  const dir = tempDir()
  const database = new Uint8Array([...Buffer.from('SQLite format 3\0'), ...new Uint8Array(84)])
  writeFileSync(join(dir, 'keys.db'), database)
  await expect(startGateway({ dir, config: { exports: [{ file: 'keys.db' }] } })).rejects.toThrow(
    `exports[0].file: expected a file of lines, found ${join(dir, 'keys.db')}, which is a database`,
  )
  expect(readFileSync(join(dir, 'keys.db')).equals(database)).toBe(true)
})
