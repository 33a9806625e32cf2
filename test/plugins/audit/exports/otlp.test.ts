// OTLP as its published definition has it, and a collector that fails, rejects, or is none.
// test/fixtures/exports/otlp-logs.binpb: logs_service.proto of opentelemetry-proto 1.11.0 (Apache-2.0) as protoc describes it, with its imports.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createFileRegistry, fromBinary, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { bringTo } from '../../../../plugins/audit/exports/batch.ts'
import { otlpTarget, toOtlp } from '../../../../plugins/audit/exports/otlp.ts'
import { expectGolden } from './golden.ts'
import { eventOf, samples } from './samples.ts'

const described = readFileSync(join(import.meta.dirname, '../../../fixtures/exports/otlp-logs.binpb'))
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, described))
const REQUEST = registry.getMessage('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest')!
/** Strict: what the definition does not name is an error. */
const read = (request: object) => toJson(REQUEST, fromJson(REQUEST, JSON.parse(JSON.stringify(request)) as JsonValue, { registry }))

const options = { clock: { now: () => 1_800_000_000_000 }, instance: 'gw', version: '0.1.0' }
const batch = { stream: 'gw.boot', from: 1, to: samples.length, events: samples, lines: samples.map(({ id }) => `{"id":"${id}"}`) }
const { signal } = new AbortController()

test('every type of record is a log record by the published definition', () => {
  const request = toOtlp(batch, options)
  expectGolden('otlp.txt', `${JSON.stringify(request, null, 1)}\n`)
  const { resourceLogs } = read(request) as unknown as { resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[] }
  const records = resourceLogs[0]!.scopeLogs[0]!.logRecords
  expect(records).toHaveLength(samples.length)
  expect(records[0]).toMatchObject({
    timeUnixNano: '1795867200250000000',
    severityNumber: 'SEVERITY_NUMBER_INFO',
    eventName: 'mcpgw.audit.intent',
    body: { stringValue: '{"id":"gw.boot:1"}' },
  })
  expect(() => read({ resourceLogs: [{ colour: 'red' }] })).toThrow(/unknown/)
})

test('whatever is recorded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer(), (text, at) => {
      const event = eventOf(text, { tenant: text, callId: text, server: text })
      const events = [{ ...event, record: { ...event.record, at: at * 1e6 } }]
      read(toOtlp({ ...batch, events, lines: [text] }, options))
    }),
  )
})

test('a batch counts once a collector has taken every record of it', async () => {
  let answer: [number, string] = [200, '{}']
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(answer[0]).end(answer[1]))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`
  const target = otlpTarget({ ...options, url, headers: {}, timeout: 5000 })
  for (const good of ['', '{}', '{"partialSuccess":{}}']) {
    answer = [200, good]
    await target.deliver(batch, signal)
  }
  for (const [status, said, why] of [
    [503, '', /^answered 503$/],
    [400, '', /^answered 400: it does not take these records as they are$/],
    [200, '<html>welcome</html>', 'is not that of a collector'],
    [200, '{"partialSuccess":{"rejectedLogRecords":"many"}}', 'is not that of a collector'],
  ] as const) {
    answer = [status, said]
    await expect(target.deliver(batch, signal)).rejects.toThrow(why)
  }
  answer = [200, '{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}']
  expect(await bringTo(target, batch, signal)).toBe(2)
  answer = [200, '{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"take care"}}']
  expect(await bringTo(target, batch, signal)).toBe(0)
})
